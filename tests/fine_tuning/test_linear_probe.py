"""The linear models that fine-tuning starts from."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_bert._fine_tuning.linear_probe import (
    probe_classes,
    probe_labels,
    probe_numbers,
)
from sklearn_bert._targets.classes import read_classes, read_indicators
from sklearn_bert._targets.numbers import read_numbers

ONES = np.ones(4)
Y = np.array(["b", "a", "c", "a"])
INDICATORS = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])
NUMBERS = np.array([[10.0, 1.0], [20.0, 1.0], [40.0, 1.0], [70.0, 1.0]])
FEATURES = np.array([[2.0, 0.0], [0.0, 2.0], [-2.0, -2.0], [0.0, 2.1]])


@pytest.fixture
def features():
    return np.random.RandomState(0).normal(size=(60, 8))


@pytest.fixture
def weights():
    return np.random.RandomState(1).uniform(0.5, 2, size=60)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_classes_are_probed_by_a_logistic_regression(features, weights, n_classes):
    y = (features[:, 0] * 3).astype(int) % n_classes
    head = probe_classes(features, read_classes(y, weights, None, None, 0.0))
    expected = LogisticRegression(tol=1e-8, max_iter=999).fit(features, y, weights)
    shown = np.exp(head(features))
    np.testing.assert_allclose(
        shown / shown.sum(axis=1, keepdims=True),
        expected.predict_proba(features),
        atol=1e-3,
    )


def test_labels_are_probed_one_by_one(features, weights):
    y = np.c_[features[:, 0] > 0, features[:, 1] > 1].astype(int)
    head = probe_labels(features, read_indicators(y, weights, None, None, 0.0))
    for label in range(2):
        one = LogisticRegression(tol=1e-8, max_iter=999)
        expected = one.fit(features, y[:, label], weights).decision_function(features)
        np.testing.assert_allclose(head(features)[:, label], expected, atol=1e-2)


def test_classes_that_are_not_there_are_the_least_likely(features):
    y = np.arange(60) % 3
    known = np.arange(5)
    target = read_classes(y, np.ones(60), known, None, 0.0)
    head = probe_classes(features, target)
    assert not head.coef[3:].any()
    outputs = head(features)
    assert (outputs[:, 3:] <= outputs[:, :3].min(axis=1, keepdims=True)).all()


def test_a_class_without_weight_is_the_least_likely_of_balanced_texts_too(features):
    y = np.arange(60) % 3
    target = read_classes(y, (y < 2) * 1.0, None, None, 0.0)
    rows = target.samples()
    outputs = probe_classes(features[rows], target.take(rows))(features[rows])
    np.testing.assert_allclose(outputs[:, 2], outputs.min())


def test_a_probe_that_stops_early_says_nothing(features):
    # Numbers so large that 300 steps do not reach the optimum.
    y = np.random.RandomState(2).randint(2, size=60)
    target = read_classes(y, np.ones(60), None, None, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        head = probe_classes(features * np.logspace(0, 8, 8), target)
    assert np.isfinite(head.coef).all()


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
