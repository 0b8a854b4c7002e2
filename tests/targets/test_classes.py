"""From labels to classes, and to what a loss takes."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_bert._targets.classes import (
    check_same_classes,
    read_classes,
    read_indicators,
)

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


LARGE = [2**53, 2**53 + 1]


@pytest.mark.parametrize("known", ["int64", "uint64"])
@pytest.mark.parametrize("given", ["int64", "uint64", "float64"])
def test_labels_of_another_dtype_are_not_rounded(known, given):
    known = np.array(LARGE, dtype=known)
    if given == "float64":
        y, codes = np.array([2.0**53, 2.0**53]), [0, 0]
    else:
        y, codes = np.array([LARGE[1], LARGE[0]], dtype=given), [1, 0]
    target = read_classes(y, np.ones(2), known, None, 0.0)
    assert target.values.tolist() == codes
    assert target.y.dtype == known.dtype
    assert target.classes is known


@pytest.mark.parametrize(
    ("known", "label"),
    [
        (np.array([0, 2**53], "uint64"), np.array([2**53 + 1])),
        (np.array([0.0, 2.0**53]), np.array([2**53 + 1])),
        (np.array([0, 2**64 - 1], "uint64"), np.array([-1])),
    ],
)
def test_a_label_that_is_equal_only_after_rounding_is_another(known, label):
    with pytest.raises(ValueError, match=r"has classes not in `self\.classes_`"):
        read_classes(label, np.ones(1), known, None, 0.0)


def test_classes_of_another_dtype_are_the_same_only_if_they_are_equal():
    before = np.array(LARGE, "uint64")
    check_same_classes(np.array(LARGE), before)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        check_same_classes(np.array([2**53 + 1, 2**53 + 2]), before)


@pytest.mark.parametrize("weight", [None, "a", 1j, [1.0], -1, np.nan, np.inf])
@pytest.mark.parametrize("read", [read_classes, read_indicators])
def test_class_weights_that_are_not_numbers_are_refused(read, weight):
    y, key = (Y, "a") if read is read_classes else (INDICATORS, 0)
    with pytest.raises(
        ValueError, match=r"finite weights.*Got .* \(\w+\) for"
    ) as caught:
        read(y, ONES, None, {key: weight}, 0.0)
    assert repr(weight) in str(caught.value)
