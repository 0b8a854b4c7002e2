"""From labels to what a loss takes."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_bert._fine_tuning.linear_probe import (
    probe_classes,
    probe_labels,
    probe_numbers,
)
from sklearn_bert._targets.targets import read_classes, read_indicators, read_numbers

ONES = np.ones(4)
Y = np.array(["b", "a", "c", "a"])
INDICATORS = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])
FEATURES = np.array([[2.0, 0.0], [0.0, 2.0], [-2.0, -2.0], [0.0, 2.1]])


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


def test_taking_rows_takes_all_that_belongs_to_them():
    target = read_classes(Y, np.arange(1.0, 5.0), None, None, 0.0).take(
        np.array([3, 0])
    )
    assert target.y.tolist() == ["a", "b"]
    assert target.values.tolist() == [0, 1]
    assert target.weights.tolist() == [4, 1]
    assert target.strata.tolist() == [0, 1]


@pytest.mark.parametrize("make", [np.array, sparse.csr_matrix, sparse.csr_array])
def test_indicators_are_floats(make):
    target = read_indicators(make(INDICATORS), ONES, None, None, 0.0)
    assert target.values.dtype == np.float32
    assert target.values.tolist() == INDICATORS.tolist()
    assert target.take(np.array([1])).y.shape == (1, 2)


def test_columns_must_be_the_known_ones():
    with pytest.raises(ValueError, match=r"one column per label\. Got 2 columns"):
        read_indicators(INDICATORS, ONES, np.arange(3), None, 0.0)


def test_a_probe_tells_classes_apart():
    head = probe_classes(FEATURES, read_classes(Y, ONES, None, None, 0.0))
    assert head(FEATURES).argmax(axis=1).tolist() == [1, 0, 2, 0]


def test_a_probe_of_two_classes_has_two_outputs():
    target = read_classes(Y == "a", ONES, None, None, 0.0)
    head = probe_classes(FEATURES, target)
    assert head.coef.shape == (2, 2)
    np.testing.assert_array_equal(head.coef[0], -head.coef[1])
    assert head(FEATURES).argmax(axis=1).tolist() == [0, 1, 0, 1]


def test_a_class_that_is_not_there_is_the_least_likely():
    known = np.array(["a", "b", "c", "d"])
    head = probe_classes(FEATURES, read_classes(Y, ONES, known, None, 0.0))
    assert not head.coef[3].any()
    np.testing.assert_allclose(head(FEATURES)[:, 3], head(FEATURES).min())


def test_a_label_that_is_always_on_becomes_a_constant():
    head = probe_labels(FEATURES, read_indicators(INDICATORS, ONES, None, None, 0.0))
    assert not head.coef[0].any()
    assert head.intercept[0] > 1
    assert (head(FEATURES)[:, 1] > 0).tolist() == [False, True, False, True]


NUMBERS = np.array([[10.0, 1.0], [20.0, 1.0], [40.0, 1.0], [70.0, 1.0]])


def test_numbers_are_scaled_by_their_weighted_mean_and_deviation():
    weights = np.array([1.0, 2.0, 0.0, 1.0])
    target = read_numbers(NUMBERS, weights, None, "huber")
    assert target.mean.tolist() == [30, 1]
    # A constant is left as it is.
    assert target.scale == pytest.approx([np.sqrt(550), 1])
    mean = np.average(target.values, axis=0, weights=weights)
    np.testing.assert_allclose(mean, 0, atol=1e-15)
    assert target.values[:, 1].tolist() == [0, 0, 0, 0]


def test_known_scales_are_kept():
    known = np.array([0.0, 1.0]), np.array([10.0, 2.0])
    target = read_numbers(NUMBERS, ONES, known, "huber")
    assert target.values[:, 0].tolist() == [1, 2, 4, 7]


def test_numbers_too_large_to_be_squared_are_scaled():
    target = read_numbers(np.array([1e300, -1e300]), np.ones(2), None, "huber")
    assert target.values.ravel().tolist() == [1, -1]


def test_a_probe_of_numbers_counts_a_weight_as_so_many_samples():
    y = NUMBERS[:, 0]
    weighted = read_numbers(y, np.array([1.0, 2.0, 1.0, 0.0]), None, "huber")
    rows = [0, 1, 1, 2]
    twice = read_numbers(y[rows], ONES, None, "huber")
    head = probe_numbers(FEATURES, weighted)
    expected = probe_numbers(FEATURES[rows], twice)
    np.testing.assert_allclose(head.coef, expected.coef)
    np.testing.assert_allclose(head.intercept, expected.intercept)


def test_a_probe_of_features_that_are_all_alike_gives_the_mean():
    head = probe_numbers(np.ones((4, 3)), read_numbers(NUMBERS, ONES, None, "huber"))
    np.testing.assert_allclose(head(np.ones((1, 3))), 0, atol=1e-12)


def test_a_number_without_weight_decides_nothing():
    numbers = np.array([[3.0], [5.0], [4.0], [1e37]])
    weights = np.array([1.0, 1.0, 1.0, 0.0])
    target = read_numbers(numbers, weights, None, "huber")
    assert target.scale == pytest.approx([np.sqrt(2 / 3)])
