"""Validation and scaling of numeric targets."""

from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._engine.training.heads import LinearHead, NumberLoss
from sklearn_bert._inputs.values import call_hiding_values, is_missing
from sklearn_bert._targets.checks import (
    as_array,
    check_all_numbers,
    check_collection,
    check_no_missing,
    check_not_masked,
    check_y_given,
)
from sklearn_bert._targets.target import Target


@dataclass(frozen=True)
class NumberTarget(Target):
    """A target whose values are numbers, scaled for training.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        Subtracted from y, and then divided by.
    is_constant : ndarray of shape (n_outputs,), bool
    """

    mean: np.ndarray
    scale: np.ndarray
    is_constant: np.ndarray

    def in_form_of_y(self, y: np.ndarray) -> np.ndarray:
        """Return a single target as a column if y is one, and else without columns."""
        if y.size == len(y) * self.n_outputs:
            y = y.reshape(len(y), *self.y.shape[1:])
        return super().in_form_of_y(y)

    def in_units_of_y(self, head: LinearHead) -> LinearHead:
        """Return the head of unscaled numbers."""
        return head.rescaled(self.scale, self.mean)

    def in_units_of_training(self, head: LinearHead) -> LinearHead:
        """Return the head of scaled numbers."""
        scale = 1 / self.scale
        return head.rescaled(scale, -self.mean * scale)


def check_numbers(y: Any, texts: Texts, estimator: Any) -> np.ndarray:
    """Validate y as one or several numbers per text.

    Parameters
    ----------
    y : array-like
    texts : Texts
        The samples of y.
    estimator : object
        Named in error messages.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_targets), float64

    Raises
    ------
    ValueError
        If y has a different length, or values that are not finite numbers.
    """
    check_y_given(y, estimator, "number")
    check_collection(y, "y", "number")
    check_not_masked(y, "y")
    if getattr(y, "ndim", 1) == 2 and hasattr(y, "sparse"):
        # The metrics of score refuse it.
        raise ValueError(
            "y must be dense. Got a DataFrame of sparse columns. Convert it: "
            "y.sparse.to_dense()."
        )
    y = as_array(y)
    check_no_missing(y, "number")
    check_all_numbers(y, "y")
    y = call_hiding_values(
        check_array,
        y,
        ensure_2d=False,
        dtype="numeric",
        input_name="y",
        estimator=estimator,
    )
    check_consistent_length(texts.first, y)
    return y.astype(np.float64)


def has_decimals(y: Any) -> bool:
    """Return whether y has numbers only, some of them with decimals.

    Missing values, which are refused later, do not count.
    """
    try:
        values = np.asarray(as_array(y), dtype=object).ravel()
    # Lists of different lengths, which are refused later.
    except ValueError:
        return False
    known = [value for value in values if not is_missing(value)]
    return all(isinstance(value, Real | Decimal) for value in known) and any(
        not isinstance(value, Integral) and not float(value).is_integer()
        for value in known
    )


def read_numbers(
    y: np.ndarray,
    weights: np.ndarray,
    known: tuple[np.ndarray, np.ndarray] | None,
    loss: str,
) -> NumberTarget:
    """Return the target of numbers, scaled to mean 0 and standard deviation 1.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, n_outputs), float64
    weights : ndarray of shape (n,)
        Weights of the samples.
    known : tuple of two ndarray of shape (n_outputs,), or None
        Mean and standard deviation for scaling. None uses those of y.
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
    # Samples without weight may have any value.
    columns, weights = columns[weights > 0], weights[weights > 0]
    # Scaled so that the square of the largest number does not overflow.
    largest = np.abs(columns).max(axis=0)
    largest[largest == 0] = 1
    shares = columns / largest
    mean = np.average(shares, axis=0, weights=weights)
    scale = np.sqrt(np.average((shares - mean) ** 2, axis=0, weights=weights))
    # The deviation of a constant from its mean is a rounding error, and one below the
    # normal numbers cannot be divided by.
    is_constant = scale <= 10 * np.finfo(np.float64).eps
    is_constant |= scale * largest < np.finfo(np.float64).tiny
    return mean * largest, np.where(is_constant, 1, scale * largest)
