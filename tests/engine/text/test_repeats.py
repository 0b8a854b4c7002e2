"""Samples that occur several times."""

import numpy as np

from sklearn_bert._engine.text.repeats import find_repeats


def test_distinct_samples_have_no_repeats():
    assert find_repeats(["a", "b"]) is None
    assert find_repeats([]) is None


def test_the_first_of_equal_samples_represents_them():
    repeats = find_repeats(["a", "b", "a", "c", "b"])
    assert repeats.distinct == [0, 1, 3]
    assert repeats.index.tolist() == [0, 1, 0, 2, 1]


def test_rows_of_samples_are_those_of_their_distinct_samples():
    repeats = find_repeats(["a", "b", "a", "c", "a"])
    n_rows = np.array([2, 0, 1])
    assert repeats.rows(n_rows).tolist() == [0, 1, 0, 1, 2, 0, 1]
