"""Linear models on frozen features, which initialize fine-tuning."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax
from sklearn.linear_model import Ridge

from sklearn_bert._engine.training.heads import LinearHead, NumberLoss, SigmoidLoss
from sklearn_bert._targets.target import Target

_EPSILON = np.finfo(np.float64).eps


def fit_probe(features: np.ndarray, target: Target) -> LinearHead:
    """Fit the linear model that suits a target's loss.

    Parameters
    ----------
    features : ndarray of shape (n, width)
    target : Target

    Returns
    -------
    LinearHead
    """
    if isinstance(target.loss, NumberLoss):
        return probe_numbers(features, target)
    if isinstance(target.loss, SigmoidLoss):
        return probe_labels(features, target)
    return probe_classes(features, target)


def probe_classes(features: np.ndarray, target: Target) -> LinearHead:
    """Fit a softmax regression; classes without weight get the lowest score.

    Parameters
    ----------
    features : ndarray of shape (n, width)
    target : Target
        Its values are class indices.

    Returns
    -------
    LinearHead
    """
    classes, codes = np.unique(target.values, return_inverse=True)
    if len(classes) == 2:
        one = _fit(features, codes[:, None], target.weights)
        rows, constants = np.vstack([-one.coef, one.coef]) / 2, one.intercept / 2
        constants = np.r_[-constants, constants]
    else:
        several = _fit(features, np.eye(len(classes))[codes], target.weights)
        rows, constants = several.coef, several.intercept
    coef = np.zeros((target.n_outputs, features.shape[1]))
    intercept = np.full(target.n_outputs, (features @ rows.T + constants).min())
    coef[classes], intercept[classes] = rows, constants
    return LinearHead(coef, intercept)


def probe_labels(features: np.ndarray, target: Target) -> LinearHead:
    """Fit a logistic regression to each label.

    Parameters
    ----------
    features : ndarray of shape (n, width)
    target : Target
        Its values are zeros and ones, one column per label.

    Returns
    -------
    LinearHead
    """
    assert isinstance(target.loss, SigmoidLoss)
    factors = target.loss.pos_weight or (1.0,) * target.n_outputs
    heads = [
        _probe_label(features, is_on, target.weights * np.where(is_on, factor, 1))
        for is_on, factor in zip(target.values.T > 0, factors, strict=True)
    ]
    return LinearHead(
        np.vstack([head.coef for head in heads]),
        np.concatenate([head.intercept for head in heads]),
    )


def probe_numbers(features: np.ndarray, target: Target) -> LinearHead:
    """Fit a ridge regression.

    Parameters
    ----------
    features : ndarray of shape (n, width)
    target : Target
        Its values have mean 0 and standard deviation 1.

    Returns
    -------
    LinearHead
    """
    features = features.astype(np.float64)
    centre = np.average(features, axis=0, weights=target.weights)
    variances = np.average((features - centre) ** 2, axis=0, weights=target.weights)
    # This penalty is optimal if features and noise explain the target equally. Unlike
    # with cross-validation, a sample of weight 2 counts as two samples.
    penalty = variances.sum() or 1.0
    model = Ridge(alpha=penalty).fit(features, target.values, target.weights)
    return LinearHead(
        model.coef_.reshape(target.n_outputs, -1), np.atleast_1d(model.intercept_)
    )


def _probe_label(
    features: np.ndarray, is_on: np.ndarray, weights: np.ndarray
) -> LinearHead:
    if is_on.any() and not is_on.all():
        return _fit(features, is_on[:, None], weights)
    # A constant label: a constant score, whose certainty grows with the number of
    # texts.
    certainty = np.log(len(is_on) + 1)
    constant = certainty if is_on.all() else -certainty
    return LinearHead(np.zeros((1, features.shape[1])), np.array([constant]))


def _fit(features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> LinearHead:
    """Fit a logistic regression: softmax of (n, k) targets, or sigmoid of (n, 1).

    It is equivalent to LogisticRegression, which would warn if it did not converge. An
    initial value need not be optimal, and warnings cannot be silenced per thread.
    """
    shape = (targets.shape[1], features.shape[1] + 1)
    total = weights.sum()

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the penalized mean loss, and its gradient."""
        coef, intercept = np.split(parameters.reshape(shape), [-1], axis=1)
        outputs = features @ coef.T.astype(features.dtype) + intercept.T
        if shape[0] == 1:
            losses = np.logaddexp(0, outputs) - targets * outputs
            residuals = expit(outputs) - targets
        else:
            logarithms = log_softmax(outputs, axis=1)
            losses = -(targets * logarithms)
            residuals = np.exp(logarithms) - targets
        residuals *= weights[:, None]
        slopes = residuals.T.astype(features.dtype) @ features + coef
        gradient = np.hstack([slopes, residuals.sum(axis=0)[:, None]]).ravel()
        penalty = 0.5 * np.square(coef).sum()
        return (weights @ losses.sum(axis=1) + penalty) / total, gradient / total

    # The stopping criteria of LogisticRegression.
    limits = {"maxiter": 300, "maxls": 50, "gtol": 1e-4, "ftol": 64 * _EPSILON}
    found = minimize(
        loss, np.zeros(np.prod(shape)), method="L-BFGS-B", jac=True, options=limits
    )
    coef, intercept = np.split(found.x.reshape(shape), [-1], axis=1)
    return LinearHead(coef, intercept[:, 0])
