"""The samples that early stopping scores: a part of X, or a set of the user."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_bert._engine.text.inputs import Inputs
from sklearn_bert._fine_tuning.context import FitContext
from sklearn_bert._fine_tuning.holdout import hold_out
from sklearn_bert._targets.target import Target
from sklearn_bert.exceptions import InputError


@dataclass(frozen=True)
class ValidationSet:
    """Samples that are scored, and not trained on.

    Attributes
    ----------
    inputs : Inputs
    y : ndarray or sparse matrix
    weights : ndarray of shape (n_samples,) or None
    is_part : bool
        Whether they are a part of X.
    """

    inputs: Inputs
    y: Any
    weights: np.ndarray | None
    is_part: bool


def check_validation_set(X_val: Any, y_val: Any, *, early_stopping: bool) -> None:
    """Refuse one of two, and a validation set that would not be used.

    Parameters
    ----------
    X_val, y_val : array-like or None
        As passed by the user.
    early_stopping : bool
        The parameter of the estimator.
    """
    if (X_val is None) != (y_val is None):
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(
            "X_val and y_val are one validation set, and must be passed together. Got "
            f"{missing}=None. Pass both, or neither to set aside a part of X."
        )
    if X_val is not None and not early_stopping:
        raise ValueError(
            "X_val and y_val are used for early stopping only. Got them with "
            "early_stopping=False. Set early_stopping=True, or leave them out."
        )


def read_validation_set(
    estimator: Any, X_val: Any, y_val: Any, target: Target
) -> ValidationSet:
    """Read the validation set of the user as X and y are read.

    Parameters
    ----------
    estimator : BaseFineTuner
        It has the columns of X.
    X_val, y_val : array-like
    target : Target
        That of training.

    Returns
    -------
    ValidationSet

    Raises
    ------
    InputError
        If X_val is not what X may be, or has other columns.
    ValueError
        If y_val is not what y may be, or has labels or columns that y does not have.
    """
    try:
        inputs = estimator._check_texts(X_val)
        y = estimator._check_y(inputs, y_val)
    except ValueError as error:
        kind = InputError if isinstance(error, InputError) else ValueError
        raise kind(
            f"X_val and y_val must meet the requirements of X and y. {error}"
        ) from error
    y = target.in_form_of_y(y)
    return ValidationSet(inputs, y, weights=None, is_part=False)


def set_aside(
    estimator: Any,
    inputs: Inputs,
    target: Target,
    weights: np.ndarray | None,
    groups: np.ndarray | None,
    seed: int,
    fit: FitContext,
) -> tuple[np.ndarray, ValidationSet | None]:
    """Return the training rows, and the validation set if there is one.

    Parameters
    ----------
    estimator : BaseFineTuner
    inputs : Inputs
    target : Target
    weights, groups : ndarray of shape (n_samples,) or None
        As passed by the user.
    seed : int
    fit : FitContext

    Returns
    -------
    train : ndarray
    validation : ValidationSet or None
    """
    rows = target.samples()
    if fit.X_val is not None:
        return rows, read_validation_set(estimator, fit.X_val, fit.y_val, target)
    if not estimator.early_stopping or fit.is_partial:
        return rows, None
    strata = None if target.strata is None else target.strata[rows]
    train, held_out = hold_out(
        rows,
        strata,
        estimator.validation_fraction,
        seed,
        groups=None if groups is None else groups[rows],
        takes_last=estimator.validation_split == "last",
    )
    validation = ValidationSet(
        inputs.take(held_out),
        target.y[held_out],
        None if weights is None else weights[held_out],
        is_part=True,
    )
    return train, validation
