"""Classes that are not known, in benchmarks/accuracy/out_of_scope."""

import numpy as np
import pytest

from benchmarks.accuracy.out_of_scope import (
    compare,
    distance_to_means,
    hold_out,
    mahalanobis_distance,
    parse_arguments,
    run,
)
from benchmarks.shared.setup import Setup


@pytest.fixture
def data(tmp_path):
    """Folder of a data set of four classes."""
    rows = "text\tlabel\n" + "".join(f"a film {k}\t{k % 4}\n" for k in range(60))
    for split in ("train", "test"):
        (tmp_path / f"{split}.tsv").write_text(rows, encoding="utf-8")
    return tmp_path


def test_unknown_classes_are_in_the_test_rows_only(data):
    (X, y), X_test, is_known = hold_out(data, 1, 0)
    assert (len(X), len(X_test), is_known.sum()) == (45, 60, 45)
    assert len(np.unique(y)) == 3
    assert set(X) == set(np.array(X_test)[is_known])


def test_a_perfect_score_accepts_nothing_unknown():
    is_known = np.repeat([True, False], 100)
    assert compare(is_known.astype(float), is_known) == {"auroc": 1, "accepted": 0}


def test_unknown_texts_are_counted_at_the_score_that_keeps_most_known_ones():
    is_known = np.repeat([True, False], 100)
    # Four known texts are below 0.5, and a quarter of the unknown ones above.
    scores = np.concatenate([np.full(4, 0.1), np.full(96, 0.9)])
    scores = np.concatenate([scores, np.full(75, 0.2), np.full(25, 0.95)])
    assert compare(scores, is_known)["accepted"] == 0.25


def test_the_distance_is_that_to_the_nearest_mean():
    features = np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0], [6.0, 0.0]])
    labels = np.array(["a", "a", "b", "b"])
    assert distance_to_means(features, np.array([[5.0, 2.0]]), labels) == [2]


def test_mahalanobis_counts_in_units_of_the_spread():
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 5000)
    # Ten times as wide in one direction as in the other, around two means.
    features = random.normal(size=(10000, 2)) * [10, 1] + np.c_[y * 100, y]
    new = np.array([[20.0, 0.0], [0.0, 2.0], [100.0, 1.0]])
    found = mahalanobis_distance(features, new, y)
    np.testing.assert_allclose(found, [2, 2, 0], atol=0.1)


def test_every_measure_is_compared(data, tiny_bert, monkeypatch):
    monkeypatch.setattr("benchmarks.accuracy.out_of_scope.set_threads", lambda n: None)
    arguments = ["--data", str(data), "--quick", "--n-unknown", "1"]
    result = run(parse_arguments(arguments), Setup(str(tiny_bert), 16, "cpu", 1))
    assert len(result["rows"]) == 8
    assert all(0 <= row["auroc"]["mean"] <= 1 for row in result["rows"])
