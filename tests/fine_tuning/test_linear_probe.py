"""The linear models that fine-tuning starts from."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_bert._fine_tuning.linear_probe import probe_classes, probe_labels
from sklearn_bert._targets.targets import read_classes, read_indicators


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
