"""The tables of benchmarks/finetuning.py, from a result that is made up."""

import re


def trainings(*seconds, loop=None, **sets):
    """Return the records of one arm: as many rounds as there are seconds."""
    return [
        {
            "seconds": time,
            "loop_seconds": loop and loop[k],
            **{name: shares[k] for name, shares in sets.items()},
        }
        for k, time in enumerate(seconds)
    ]


def result_with(**arms):
    """Return a result as --json writes it, with two rounds of four arms."""
    judged = {"dev": [0.5, 0.7], "test": [0.8, 0.9]}
    records = {
        "sklearn_bert": trainings(2.0, 4.0, loop=[1.0, 2.0], **judged),
        "trainer-default": trainings(8.0, 16.0, loop=[6.0, 12.0], **judged),
        "trainer-float32-grouped": trainings(4.0, 8.0, loop=[3.0, 6.0], **judged),
        "setfit-head": trainings(1.0, 2.0, **judged),
    }
    return {
        "n_epochs": 3,
        "dev_score": 0.6,
        "train": {"n_tokens": 100},
        "judged": {"dev": 10, "test": 20},
        "arms": {
            **{name: {"is_head": name == "setfit-head"} for name in records},
            **arms,
        },
        "rounds": {"load_average": 0.5, "cpus_of_others": 0.0, "arms": records},
        "race": {
            "cpus_of_others": 0.0,
            "arms": {
                "sklearn_bert": [
                    {"seconds": 3.0, "scores": [0.5, 0.6]},
                    {"seconds": None, "scores": [0.5, 0.5, 0.55]},
                ],
                "trainer-default": [{"seconds": None, "scores": [0.1]}] * 2,
                "setfit-head": [{"seconds": 1.0, "scores": [0.65]}] * 2,
            },
        },
    }


def cells_of(table, arm):
    (row,) = [line for line in table.splitlines() if line.startswith(f"{arm} ")]
    return re.split(r"\s{2,}", row)[1:]


class TestTables:
    def test_speed_counts_the_tokens_of_all_epochs(self, load):
        table = load("_finetuning_tables").speed_table(result_with())
        # 300 tokens in 2 and 4 s; the loop alone took half as long.
        assert cells_of(table, "sklearn_bert") == [
            "3.00 [2.00–4.00]",
            "112 [75–150]",
            "4.00× [4.00–4.00]",
            "2.00× [2.00–2.00]",
            "225",
            "3.00× [3.00–3.00]",
        ]

    def test_heads_read_the_texts_once_and_have_no_loop(self, load):
        cells = cells_of(
            load("_finetuning_tables").speed_table(result_with()), "setfit-head"
        )
        assert cells[1] == "75 [50–100]"
        assert cells[-2:] == ["–", "–"]

    def test_best_trainer_is_the_faster_of_two(self, load):
        result = result_with(**{"trainer-bf16-grouped": {"is_head": False}})
        tables = load("_finetuning_tables")
        assert tables.best_tuned(result) == "trainer-float32-grouped"
        records = result["rounds"]["arms"]
        records["trainer-bf16-grouped"] = trainings(3.0, 6.0, loop=[2.0, 4.0])
        table = tables.speed_table(result)
        assert "best is trainer-bf16-grouped" in table
        assert cells_of(table, "sklearn_bert")[3] == "1.50× [1.50–1.50]"

    def test_without_trainer_there_is_no_ratio(self, load):
        result = result_with()
        for arm in ("trainer-default", "trainer-float32-grouped"):
            del result["arms"][arm], result["rounds"]["arms"][arm]
        table = load("_finetuning_tables").speed_table(result)
        assert "×" not in table
        assert cells_of(table, "sklearn_bert")[2:4] == ["–", "–"]

    def test_accuracy_is_mean_and_deviation(self, load):
        table = load("_finetuning_tables").accuracy_table(result_with())
        assert "dev 10 texts, test 20 texts" in table
        assert cells_of(table, "sklearn_bert") == [
            "60.00 ± 14.14",
            "85.00 ± 7.07",
            "3.0",
        ]

    def test_deviation_needs_two_seeds(self, load):
        assert load("_finetuning_tables").mean_and_sd([0.5]) == "50.00 ± –"

    def test_race_counts_the_seeds_that_arrived(self, load):
        result = result_with()
        table = load("_finetuning_tables").race_table(result)
        assert "dev accuracy of 60 %" in table
        arrived, none, head = (
            cells_of(table, arm)
            for arm in ("sklearn_bert", "trainer-default", "setfit-head")
        )
        assert arrived == ["3.0 [3.0–3.0]", "1 of 2", "2", "57.50"]
        assert none == ["–", "0 of 2", "–", "10.00"]
        assert head == ["1.0 [1.0–1.0]", "2 of 2", "–", "65.00"]

    def test_arm_that_did_not_run_is_named(self, load):
        reason = "not run: no bfloat16 instructions known of this CPU"
        result = result_with(**{"trainer-bf16-grouped": {"not_run": reason}})
        tables = load("_finetuning_tables")
        for make in (
            tables.speed_table,
            tables.accuracy_table,
            tables.race_table,
            tables.memory_table,
        ):
            (cell,) = cells_of(make(result), "trainer-bf16-grouped")
            assert cell == reason

    def test_busy_machine_is_called_noisy(self, load):
        result = result_with()
        tables = load("_finetuning_tables")
        assert "NOISY" not in tables.speed_table(result) + tables.race_table(result)
        for part, make in (("rounds", tables.speed_table), ("race", tables.race_table)):
            result[part]["cpus_of_others"] = 0.5
            assert "NOISY" in make(result)
