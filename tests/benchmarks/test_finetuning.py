"""Training in turns and its rows, in benchmarks/finetuning."""

import pytest

from benchmarks.finetuning.__main__ import make_rows, parse_arguments, run
from benchmarks.finetuning.arms import BASELINE, TUNED
from benchmarks.shared.setup import Setup
from benchmarks.shared.trainer import first_tokens


def trainings(seconds, loop=(None, None), test=(0.8, 0.9)):
    """Return the records of one arm in two rounds."""
    return [
        {"seconds": time, "loop_s": loop_s, "test": score}
        for time, loop_s, score in zip(seconds, loop, test, strict=True)
    ]


@pytest.fixture
def rows():
    """Return the rows of made-up trainings over 300 tokens, by arm."""
    rounds = {
        "sklearn_bert": trainings((2.0, 4.0), loop=(1.0, 2.0)),
        BASELINE: trainings((8.0, 16.0), loop=(6.0, 12.0)),
        TUNED[0]: trainings((4.0, 8.0), loop=(3.0, 6.0)),
        TUNED[1]: trainings((6.0, 9.0), loop=(5.0, 8.0)),
        "linear": trainings((1.0, 2.0)),
    }
    return {row["arm"]: row for row in make_rows(rounds, 300)}


def test_ratios_are_to_the_default_and_to_the_faster_tuned_trainer(rows):
    ours = rows["sklearn_bert"]
    assert ours["fit_s"] == {"median": 3.0, "low": 2.0, "high": 4.0, "n": 2}
    assert ours["ratio_to_default"]["median"] == 4.0
    assert ours["ratio_to_best"]["median"] == 2.0
    assert rows["linear"]["ratio_to_best"]["median"] == 4.0


def test_the_loop_is_compared_by_itself(rows):
    assert rows["sklearn_bert"]["loop_tokens_per_s"] == 225.0
    assert rows["sklearn_bert"]["loop_ratio_to_best"]["median"] == 3.0
    assert rows["linear"]["loop_ratio_to_best"] is None


def test_words_are_scored_at_their_first_token():
    words = [None, 0, 0, 1, 2, 2, None]
    assert first_tokens(words) == [None, 0, None, 1, 2, None, None]


def test_a_run_trains_each_arm_in_every_round(tmp_path, tiny_bert, monkeypatch):
    monkeypatch.setattr("benchmarks.finetuning.__main__.set_threads", lambda n: None)
    rows = "text\tlabel\n" + "a film\tup\na story\tdown\n" * 4
    for name in ("train", "test"):
        (tmp_path / f"{name}.tsv").write_text(rows, encoding="utf-8")
    arms = ["sklearn_bert", "Tfidf*", "setfit"]
    options = parse_arguments(["--data", str(tmp_path), "--quick", "--arms", *arms])
    result = run(options, Setup(str(tiny_bert), 16, "cpu", 1))
    ours, tf_idf, setfit = result["rows"]
    assert ours["fit_s"]["n"] == ours["test"]["n"] == 2
    assert ours["loop_tokens_per_s"] > 0
    assert tf_idf["test"]["mean"] == 1.0
    assert setfit["not_run"]
