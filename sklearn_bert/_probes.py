"""Linear models of frozen features, from which fine-tuning starts."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from sklearn_bert._engine.heads import LinearHead, SigmoidLoss
from sklearn_bert._targets import Target


def probe_classes(features: np.ndarray, target: Target) -> LinearHead:
    """Fit a softmax regression; classes that are not there are the least likely.

    Parameters
    ----------
    features : ndarray of shape (n, hidden_size)
    target : Target
        Whose values are the numbers of classes.

    Returns
    -------
    LinearHead
    """
    model = _fit(features, target.values, target.weights)
    rows, constants = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        rows, constants = np.vstack([-rows, rows]) / 2, np.r_[-constants, constants] / 2
    coef = np.zeros((target.n_outputs, features.shape[1]))
    intercept = np.full(target.n_outputs, constants.min())
    coef[model.classes_], intercept[model.classes_] = rows, constants
    return LinearHead(coef, intercept)


def probe_labels(features: np.ndarray, target: Target) -> LinearHead:
    """Fit a logistic regression to each label.

    Parameters
    ----------
    features : ndarray of shape (n, hidden_size)
    target : Target
        Whose values are zeros and ones, one column per label.

    Returns
    -------
    LinearHead
    """
    assert isinstance(target.loss, SigmoidLoss)
    factors = target.loss.on_weights or (1.0,) * target.n_outputs
    heads = [
        _probe_label(features, is_on, target.weights * np.where(is_on, factor, 1))
        for is_on, factor in zip(target.values.T > 0, factors, strict=True)
    ]
    return LinearHead(
        np.vstack([head.coef for head in heads]),
        np.concatenate([head.intercept for head in heads]),
    )


def _probe_label(
    features: np.ndarray, is_on: np.ndarray, weights: np.ndarray
) -> LinearHead:
    if is_on.any() and not is_on.all():
        model = _fit(features, is_on, weights)
        return LinearHead(model.coef_, model.intercept_)
    # Nothing can be told apart: a constant, the surer the more texts there are.
    certainty = np.log(len(is_on) + 1)
    constant = certainty if is_on.all() else -certainty
    return LinearHead(np.zeros((1, features.shape[1])), np.array([constant]))


def _fit(
    features: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> LogisticRegression:
    with warnings.catch_warnings():
        # A start need not be the optimum.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(max_iter=300).fit(features, y, weights)
