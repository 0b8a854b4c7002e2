"""Words that are removed, and what is counted, in benchmarks/accuracy/attributions."""

import numpy as np

from benchmarks.accuracy.attributions import (
    METHODS,
    count_flips,
    parse_arguments,
    remove,
    run,
)
from benchmarks.shared.setup import Setup


def test_words_are_removed_by_position():
    assert remove("a good a film", [2, 1]) == "a film"


def test_flips_are_predictions_of_another_class():
    class ByLength:
        def predict(self, X):
            return np.array([len(text.split()) for text in X])

    texts, y = ["a b c", "d e f"], np.array([2, 3])
    assert count_flips(ByLength(), texts, y, [[0], [1]]) == 0.5


def test_every_method_is_measured(tmp_path, tiny_bert, monkeypatch):
    monkeypatch.setattr("benchmarks.accuracy.attributions.set_threads", lambda n: None)
    monkeypatch.setattr("benchmarks.accuracy.attributions.N_DRAWS", 2)
    (tmp_path / "sst2").mkdir()
    rows = (
        "text\tlabel\n" + "the good film was great\tup\na very bad story\tdown\n" * 10
    )
    for split in ("train", "test"):
        (tmp_path / "sst2" / f"{split}.tsv").write_text(rows, encoding="utf-8")
    arguments = ["--data", str(tmp_path), "--n-train", "20", "--n-test", "6"]
    with np.errstate(divide="ignore", invalid="ignore"):
        result = run(parse_arguments(arguments), Setup(str(tiny_bert), 16, "cpu", 1))
    assert [row["arm"] for row in result["rows"]] == [*METHODS]
    first, *others = result["rows"]
    assert first["error"]["mean"] >= 0
    assert all("error" not in row for row in others)
    assert all(row["seconds"]["mean"] > 0 for row in result["rows"])
