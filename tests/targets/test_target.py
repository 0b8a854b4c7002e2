"""Some of the samples of a target, and the units of its numbers."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert._targets.classes import read_classes, read_indicators
from sklearn_bert._targets.numbers import read_numbers

Y = np.array(["b", "a", "c", "a"])
INDICATORS = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])


def test_taking_rows_takes_all_that_belongs_to_them():
    target = read_classes(Y, np.arange(1.0, 5.0), None, None, 0.0)
    taken = target.take(np.array([3, 0]))
    assert taken.y.tolist() == ["a", "b"]
    assert taken.values.tolist() == [0, 1]
    assert taken.weights.tolist() == [4, 1]
    assert taken.strata.tolist() == [0, 1]


@pytest.mark.parametrize("make", [np.array, sparse.csr_matrix, sparse.csr_array])
def test_rows_of_any_indicator_matrix_can_be_taken(make):
    target = read_indicators(make(INDICATORS), np.ones(4), None, None, 0.0)
    assert target.take(np.array([1])).y.shape == (1, 2)


def test_samples_are_those_with_a_weight():
    target = read_classes(Y, np.array([1.0, 2.0, 0.0, 1.0]), None, None, 0.0)
    assert target.samples().tolist() == [0, 1, 3]


def test_samples_without_weight_are_not_counted():
    weights = np.array([1.0, 2.0, 0.0, 1.0])
    counts = read_classes(Y, weights, None, None, 0.0).count()
    assert counts["n_samples_seen_"] == 3
    assert counts["class_count_"].tolist() == [2, 1, 0]
    numbers = read_numbers(np.arange(4.0), weights, None, "squared_error")
    assert numbers.count() == {"n_samples_seen_": 3}


def test_a_text_counts_for_each_of_its_labels():
    weights = np.array([1.0, 2.0, 0.0, 1.0])
    counts = read_indicators(INDICATORS, weights, None, None, 0.0).count()
    assert counts["n_samples_seen_"] == 3
    assert counts["class_count_"].tolist() == [3, 2]
    assert counts["class_count_"].dtype == np.int64


def test_only_numbers_have_units():
    head = LinearHead(np.array([[2.0]]), np.array([1.0]))
    labels = read_classes(Y, np.ones(4), None, None, 0.0)
    numbers = read_numbers(np.array([10.0, 30.0]), np.ones(2), None, "huber")
    assert labels.in_units_of_y(head) is head
    scaled = numbers.in_units_of_y(head)
    assert (scaled.coef.item(), scaled.intercept.item()) == pytest.approx((20, 30))
    back = numbers.in_units_of_training(scaled)
    assert (back.coef.item(), back.intercept.item()) == pytest.approx((2, 1))
