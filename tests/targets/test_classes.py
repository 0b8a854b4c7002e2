"""From labels to classes, and to what a loss takes."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_bert._targets.classes import read_classes, read_indicators

ONES = np.ones(4)
Y = np.array(["b", "a", "c", "a"])
INDICATORS = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])


def test_classes_are_numbered_in_order():
    target = read_classes(Y, ONES, None, None, 0.0)
    assert target.values.tolist() == [1, 0, 2, 0]
    assert target.classes.tolist() == ["a", "b", "c"]
    assert target.n_outputs == 3


def test_known_classes_set_the_numbers():
    target = read_classes(Y, ONES, np.array(["a", "aa", "b", "c"]), None, 0.0)
    assert target.values.tolist() == [2, 0, 3, 0]


def test_class_weights_multiply_sample_weights():
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    target = read_classes(Y, weights, None, {"a": 10.0}, 0.0)
    assert target.weights.tolist() == [1, 20, 3, 40]


def test_balanced_classes_have_the_same_total_weight():
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    target = read_classes(Y, weights, None, "balanced", 0.0)
    totals = np.bincount(target.values, target.weights)
    np.testing.assert_allclose(totals, weights.sum() / 3)


@pytest.mark.parametrize("make", [np.array, sparse.csr_matrix, sparse.csr_array])
def test_indicators_are_floats(make):
    target = read_indicators(make(INDICATORS), ONES, None, None, 0.0)
    assert target.values.dtype == np.float32
    assert target.values.tolist() == INDICATORS.tolist()


def test_columns_must_be_the_known_ones():
    with pytest.raises(ValueError, match=r"one column per label\. Got 2 columns"):
        read_indicators(INDICATORS, ONES, np.arange(3), None, 0.0)
