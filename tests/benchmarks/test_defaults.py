"""The parts of benchmarks/defaults.py that train nothing."""

import pytest


@pytest.fixture
def defaults(load):
    return load("defaults")


@pytest.fixture
def task(load, tmp_path):
    lines = ["text\tlabel", *(f"text {row}\t{row % 2}" for row in range(20))]
    (tmp_path / "sst2").mkdir()
    (tmp_path / "sst2" / "train.tsv").write_text("\n".join(lines), encoding="utf-8")
    return next(one for one in load("_tasks").TASKS if one.name == "sst2")


def test_rows_to_score_on_are_others(defaults, task, tmp_path):
    (X, y), (X_held_out, _) = defaults.draw(task, tmp_path, 12, 0)
    assert (len(X), len(X_held_out)) == (12, 6)
    assert not set(X) & set(X_held_out)
    assert all(
        int(text.split()[1]) % 2 == int(one) for text, one in zip(X, y, strict=True)
    )


def test_another_seed_draws_other_rows(defaults, task, tmp_path):
    first, second = (defaults.draw(task, tmp_path, 12, seed) for seed in (0, 1))
    assert first[0][0] != second[0][0]


def test_changes_are_parameters_of_some_estimator(defaults, task):
    for change in defaults.CHANGES.values():
        assert defaults.has_parameters(task, change)


def test_differences_are_taken_on_the_same_rows(defaults):
    def record(change, seed, score):
        return {"set": "trec", "change": change, "seed": seed, "score": score}

    table = defaults.differences_table(
        [
            record("default", 0, 0.5),
            record("default", 1, 0.7),
            record("init='zeros'", 0, 0.4),
            record("init='zeros'", 1, 0.8),
        ]
    )
    lines = {line.split("  ")[0].strip(): line for line in table.splitlines()}
    assert lines["default"].endswith("0.6000 ± 0.1414")
    assert lines["init='zeros'"].endswith("+0.0000 ± 0.1414")
    assert lines["n_epochs=3"].endswith("-")
