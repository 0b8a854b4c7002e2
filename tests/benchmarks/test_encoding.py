"""The parts of benchmarks/encoding.py that are not a matter of time."""

import os
import re

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing


@pytest.fixture
def tokenizer():
    """One token per word, between [CLS] and [SEP]."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer


def words(n):
    return " ".join(f"w{i}" for i in range(n))


def result_with(load, **arms):
    """Return a result as --json writes it, with two rounds of one set."""
    baseline = load("_arms").BASELINE
    record = {"setting": "32", "positions": 30, "max_cosine_distance": 1e-7}
    return {
        "arms": {
            baseline: {"dtype": "float32", "load_s": 1.0},
            "other-float32": {"dtype": "float32", "load_s": 0.5},
            **arms,
        },
        "sets": {
            "mixed": {
                "origin": "made up",
                "n_texts": 10,
                "n_tokens": 20,
                "shortest": 2,
                "median": 2.0,
                "longest": 2,
                "flops": 5e8,
                "ceiling_flops": {"float32": 1e9, "bfloat16": 2e9},
                "load_average": 0.5,
                "cpus_of_others": 0.0,
                "arms": {
                    baseline: {**record, "seconds": [2.0, 4.0]},
                    "other-float32": {**record, "seconds": [1.0, 1.0]},
                },
            }
        },
    }


def row_of(table, arm):
    (row,) = [line for line in table.splitlines() if line.startswith(f"{arm} ")]
    return row


class TestMeasure:
    def test_spread_is_median_and_range(self, load):
        measure = load("_measure")
        assert measure.spread([5.0, 1.0, 2.0]) == measure.Spread(2.0, 1.0, 5.0)

    def test_ratios_pair_the_rounds(self, load):
        # A machine twice as slow in the second round changes no ratio.
        assert load("_measure").paired_ratios([4.0, 8.0], [1.0, 2.0]) == [4.0, 4.0]

    def test_ratios_need_as_many_rounds(self, load):
        with pytest.raises(ValueError, match="shorter"):
            load("_measure").paired_ratios([1.0, 2.0], [1.0])

    @pytest.mark.parametrize(
        ("percent", "expected"), [(50, 5), (90, 9), (100, 10), (1, 1)]
    )
    def test_percentile_is_a_measured_value(self, load, percent, expected):
        values = list(range(10, 0, -1))
        assert load("_measure").percentile(values, percent) == expected

    def test_interleave_calls_every_arm_once_a_round(self, load):
        calls = []
        arms = {name: lambda name=name: calls.append(name) or name for name in "abc"}
        measured = load("_measure").interleave(arms, repeats=8, seed=0, settle_s=0.0)
        assert measured == {name: [name] * 8 for name in "abc"}
        rounds = [tuple(calls[start : start + 3]) for start in range(0, 24, 3)]
        assert all(sorted(order) == ["a", "b", "c"] for order in rounds)
        assert len(set(rounds)) > 1

    def test_interleave_repeats_its_order_with_its_seed(self, load):
        def order(seed):
            calls = []
            arms = {name: lambda name=name: calls.append(name) for name in "abcd"}
            load("_measure").interleave(arms, repeats=5, seed=seed, settle_s=0.0)
            return calls

        assert order(1) == order(1)
        assert order(1) != order(2)

    def test_fastest_stops_after_two_that_are_slower(self, load):
        seconds = {8: 3.0, 16: 2.0, 32: 2.5, 64: 2.1, 128: 1.0}
        tried = []

        def time_of(size):
            tried.append(size)
            return seconds[size]

        assert load("_measure").fastest(seconds, time_of) == (16, 2.0)
        assert tried == [8, 16, 32, 64]

    def test_fastest_needs_a_setting(self, load):
        with pytest.raises(ValueError, match="at least one setting"):
            load("_measure").fastest([], float)


class TestData:
    def test_reads_quoted_texts_of_all_data_sets(self, load, tmp_path):
        for name, content in {
            "a/train.tsv": 'text\tlabel\n"two ""quoted""\nlines"\t1\n',
            "b/all.tsv": "id\ttext\n7\tcafé\n8\t \n",
            "c/train.tsv": "text_a\ttext_b\nleft\tright\n",
        }.items():
            file = tmp_path / name
            file.parent.mkdir()
            file.write_text(content, encoding="utf-8", newline="")
        expected = ['two "quoted"\nlines', "café"]
        data = load("_data")
        assert data.read_texts([tmp_path]) == expected
        assert data.read_texts([tmp_path / "a", tmp_path / "b"]) == expected

    def test_folder_without_texts_is_refused(self, load, tmp_path):
        with pytest.raises(ValueError, match="column 'text'"):
            load("_data").read_texts([tmp_path])

    def test_short_set_holds_short_sentences_only(self, load, tokenizer):
        texts = [words(n) for n in (3, 6, 8, 10, 11, 40)]
        text_set = load("_data").TextSets(texts, tokenizer, 64, 0).make("short", 6)
        assert sorted(text_set.lengths) == [8, 10, 12]

    def test_constant_set_has_one_length(self, load, tokenizer):
        texts = [words(n) for n in (5, 20, 9, 33, 7)] * 9
        text_set = load("_data").TextSets(texts, tokenizer, 64, 0).make("constant", 5)
        assert text_set.lengths == [32] * 5

    def test_long_set_is_joined_up_to_the_limit(self, load, tokenizer):
        sets = load("_data").TextSets([words(50)] * 100, tokenizer, 300, 0)
        lengths = sets.make("long", 36).lengths
        assert len(lengths) == 3
        assert all(256 <= n <= 300 for n in lengths)

    def test_long_set_prefers_documents_and_counts_what_is_read(self, load, tokenizer):
        sets = load("_data").TextSets([words(50), words(500)], tokenizer, 300, 0)
        text_set = sets.make("long", 12)
        assert text_set.texts == [words(500)]
        assert text_set.lengths == [300]

    def test_a_set_does_not_depend_on_the_others(self, load, tokenizer):
        texts = [words(n) for n in range(5, 40)]
        make = load("_data").TextSets
        after_another = make(texts, tokenizer, 64, 0)
        after_another.make("short", 3)
        alone = make(texts, tokenizer, 64, 0)
        assert after_another.make("mixed", 9) == alone.make("mixed", 9)

    def test_set_without_texts_is_refused(self, load, tokenizer):
        sets = load("_data").TextSets([words(40)], tokenizer, 64, 0)
        with pytest.raises(ValueError, match="set 'short'"):
            sets.make("short", 4)

    def test_pad_masks_what_it_adds(self, load):
        padded, mask = load("_data").pad([[1, 5, 2], [1, 2]])
        assert padded.tolist() == [[1, 5, 2], [1, 2, 0]]
        assert mask.tolist() == [[1, 1, 1], [1, 1, 0]]


class TestTables:
    def test_speed_and_paired_ratio(self, load):
        result = result_with(load)
        row = row_of(load("_tables").set_table(result, "mixed"), "other-float32")
        # 10 texts and 20 tokens in 1 s; 2 and 4 times the baseline; half of 1 GFLOP/s.
        assert re.split(r"\s{2,}", row)[1:] == [
            "32",
            "10.0 [10.0–10.0]",
            "3.00× [2.00–4.00]",
            "20",
            "50%",
            "1.50",
            "1.0e-07",
        ]

    def test_missing_peer_is_named(self, load):
        reason = "missing: pip install some-peer"
        peer = {"some-peer-float32": {"dtype": "float32", "not_run": reason}}
        result = result_with(load, **peer)
        tables = load("_tables")
        for table in (
            tables.set_table(result, "mixed"),
            tables.loading_table(result),
            tables.memory_table(result),
        ):
            assert row_of(table, "some-peer-float32").endswith(reason)

    def test_without_the_baseline_there_is_no_ratio(self, load):
        result = result_with(load)
        baseline = load("_arms").BASELINE
        result["arms"][baseline] = {"dtype": "float32", "not_run": "missing"}
        del result["sets"]["mixed"]["arms"][baseline]
        row = row_of(load("_tables").set_table(result, "mixed"), "other-float32")
        assert "×" not in row
        assert "10.0 [10.0–10.0]" in row

    def test_busy_machine_is_called_noisy(self, load):
        result = result_with(load)
        tables = load("_tables")
        assert "NOISY" not in tables.set_table(result, "mixed")
        result["sets"]["mixed"]["cpus_of_others"] = 0.5
        assert "NOISY" in tables.set_table(result, "mixed")

    def test_remark_does_not_widen_its_column(self, load):
        rows = [["x", "1", "2"], ["y", "z" * 9]]
        lines = load("_report").table(["a", "b", "c"], rows)
        assert lines.splitlines() == ["a  b  c", "-  -  -", "x  1  2", "y  zzzzzzzzz"]


class TestArms:
    def arm(self, load, **options):
        arms = load("_arms")
        return arms.Arm("a", arms.OpenVino, "json", "some-peer", **options)

    def test_installed_arm_runs(self, load):
        assert self.arm(load).reason_not_to_run("cpu") is None

    def test_missing_library_is_named_with_its_remedy(self, load):
        arms = load("_arms")
        arm = arms.Arm("a", arms.OpenVino, "no_such_module", "some-peer")
        assert arm.reason_not_to_run("cpu") == "missing: pip install some-peer"

    def test_arm_for_another_device_says_so(self, load):
        reason = self.arm(load, devices=("cpu",)).reason_not_to_run("cuda:0")
        assert reason == "not run: needs a device of cpu"

    def test_larger_batches_than_texts_are_not_searched(self, load):
        (mode,) = self.arm(load).settings(20, (8, 16, 32, 64))
        assert [setting.batch_size for setting in mode] == [8, 16, 32]

    def test_each_mode_is_searched(self, load):
        modes = self.arm(load, modes=("", "async")).settings(8, (8,))
        assert [str(setting) for mode in modes for setting in mode] == ["8", "8 async"]

    def test_names_are_unique(self, load):
        names = [arm.name for arm in load("_arms").all_arms()]
        assert len(names) == len(set(names))


def test_busy_time_counts_what_was_stolen(load, tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 800 50 0 0 10 0 0\ncpu0 1 2 3 4\n")
    ticks_per_second = os.sysconf("SC_CLK_TCK")
    # user, system and stolen time; neither idle nor waiting for a disk.
    assert load("_report").busy_cpu_seconds(stat) == 160 / ticks_per_second
    assert load("_report").busy_cpu_seconds(tmp_path / "none") is None
