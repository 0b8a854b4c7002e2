"""What estimators accept as numbers for texts, and how they are scaled."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._engine.training.heads import LinearHead, NumberLoss
from sklearn_bert._targets.checks import as_array, check_no_missing, check_y_given
from sklearn_bert._targets.target import Target


@dataclass(frozen=True)
class NumberTarget(Target):
    """A target whose values are numbers, scaled for the training.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        What was subtracted from y, and what it was then divided by.
    is_constant : ndarray of shape (n_outputs,), bool
    """

    mean: np.ndarray
    scale: np.ndarray
    is_constant: np.ndarray

    def in_units_of_y(self, head: LinearHead) -> LinearHead:
        """Return the head of unscaled numbers."""
        return head.rescaled(self.scale, self.mean)

    def in_units_of_training(self, head: LinearHead) -> LinearHead:
        """Return the head of scaled numbers."""
        scale = 1 / self.scale
        return head.rescaled(scale, -self.mean * scale)


def check_numbers(y: Any, texts: Texts, estimator: Any) -> np.ndarray:
    """Read y as one number per text, or as several.

    Parameters
    ----------
    y : array-like
    texts : Texts
        What y belongs to.
    estimator : object
        Named in errors.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_targets), float64

    Raises
    ------
    ValueError
        If y is of another length, or holds anything but finite numbers.
    """
    check_y_given(y, estimator, "number")
    y = as_array(y)
    check_no_missing(y, "number")
    y = check_array(
        y, ensure_2d=False, dtype="numeric", input_name="y", estimator=estimator
    )
    check_consistent_length(texts.first, y)
    return y.astype(np.float64)


def read_numbers(
    y: np.ndarray,
    weights: np.ndarray,
    known: tuple[np.ndarray, np.ndarray] | None,
    loss: str,
) -> NumberTarget:
    """Return what numbers mean: they are scaled to mean 0 and standard deviation 1.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, n_outputs), float64
    weights : ndarray of shape (n,)
        Of the samples.
    known : tuple of two ndarray of shape (n_outputs,), or None
        Mean and standard deviation to scale by. None takes those of y.
    loss : {"squared_error", "absolute_error", "huber"}
    """
    columns = y.reshape(len(y), -1)
    mean, scale = _mean_and_scale(columns, weights) if known is None else known
    return NumberTarget(
        y=y,
        values=(columns - mean) / scale,
        weights=weights,
        strata=None,
        n_outputs=columns.shape[1],
        loss=NumberLoss(loss),
        mean=mean,
        scale=scale,
        is_constant=np.ptp(columns[weights > 0], axis=0) == 0,
    )


def _mean_and_scale(
    columns: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean and standard deviation; 1 for constant columns."""
    # What has no weight may be anything.
    columns, weights = columns[weights > 0], weights[weights > 0]
    # In units in which the square of the largest number is still a number.
    largest = np.abs(columns).max(axis=0)
    largest[largest == 0] = 1
    shares = columns / largest
    mean = np.average(shares, axis=0, weights=weights)
    scale = np.sqrt(np.average((shares - mean) ** 2, axis=0, weights=weights))
    # What a constant deviates from its own mean is rounding.
    is_constant = scale <= 10 * np.finfo(np.float64).eps
    return mean * largest, np.where(is_constant, 1, scale * largest)
