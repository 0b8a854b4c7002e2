"""What estimators accept as targets of texts and as weights.

Errors are scikit-learn's own wherever it has one.
"""

from collections.abc import Iterable
from math import isinf
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_array,
    check_consistent_length,
)

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._inputs.values import is_missing, show_some


def check_labels(y: Any, texts: Texts, estimator: Any) -> np.ndarray | sparse.csr_array:
    """Read y as one label per text, or as a label indicator matrix.

    Parameters
    ----------
    y : array-like or sparse matrix
    texts : Texts
        What y belongs to.
    estimator : object
        Named in errors.

    Returns
    -------
    ndarray of shape (n_samples,), or ndarray or CSR of shape (n_samples, n_labels)

    Raises
    ------
    ValueError
        If y is of another length, holds NaN or numbers that are no labels, or has
        several columns and is no indicator matrix.
    """
    check_y_given(y, estimator, "label")
    _check_no_missing(y, "label")
    kind = type_of_target(y, input_name="y")
    check_consistent_length(texts.first, y)
    if kind in ("binary", "multiclass", "unknown"):
        _refuse_label_lists(y)
    check_classification_targets(y)
    if kind == "multilabel-indicator":
        y = check_array(y, accept_sparse="csr", input_name="y", estimator=estimator)
        _check_indicators(y)
        return y
    if kind.endswith("multioutput"):
        raise ValueError(
            "y must hold one label per text, or be a label indicator matrix of zeros "
            f"and ones. Got {kind} targets of shape {np.shape(y)}. Where each text has "
            "several labels, turn the lists of labels into an indicator matrix with "
            "sklearn.preprocessing.MultiLabelBinarizer; where it has several targets, "
            "use sklearn.multioutput.MultiOutputClassifier."
        )
    return _check_y(y, estimator=estimator)


def _refuse_label_lists(y: Any) -> None:
    """Refuse lists that scikit-learn takes for a column, and sets, which it cannot."""
    if not isinstance(y, list):
        return
    row = next((row for row in y if isinstance(row, list | tuple | set)), None)
    if row is not None:
        raise ValueError(
            f"y must hold one label per text. Got {row!r}, a {type(row).__name__} of "
            "labels. Where texts may have several labels, turn the lists into an "
            "indicator matrix with sklearn.preprocessing.MultiLabelBinarizer; where "
            "each has one, give y = [label for [label] in y]."
        )


def _check_indicators(y: np.ndarray | sparse.csr_array) -> None:
    """Refuse other numbers than 0 and 1, which scikit-learn lets pass in pairs."""
    values = y.data if sparse.issparse(y) else y
    if not np.isin(values, (0, 1)).all():
        raise ValueError(
            "y must hold zeros and ones where it has several columns: a label "
            f"indicator matrix. Got the values {np.unique(values).tolist()}. Where one "
            "of them means that a text has the label, give (y == that).astype(int); "
            "where the columns are targets with classes of their own, use "
            "sklearn.multioutput.MultiOutputClassifier."
        )


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
    _check_no_missing(y, "number")
    y = check_array(
        y, ensure_2d=False, dtype="numeric", input_name="y", estimator=estimator
    )
    check_consistent_length(texts.first, y)
    return y.astype(np.float64)


def check_y_given(y: Any, estimator: Any, what: str) -> None:
    """Refuse a y of None."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            f"None. Give one {what} per text."
        )


def _check_no_missing(y: Any, what: str) -> None:
    """Refuse missing values, which NumPy would make the text 'nan' of beside texts."""
    if sparse.issparse(y) or not isinstance(y, Iterable):
        return
    # A frame, gone over, would give its columns' names.
    y = np.asarray(y) if hasattr(y, "columns") else y
    values = y.tolist() if hasattr(y, "tolist") else list(y)
    rows = [
        row
        for row, value in enumerate(values)
        if any(map(is_missing, value if isinstance(value, list) else [value]))
    ]
    if rows:
        raise ValueError(
            f"Input y contains NaN. {len(rows)} of {len(values)} {what}s are missing, "
            f"in row {show_some(rows)}. Drop these rows, or give them a {what}."
        )
    # type_of_target would warn of infinity rather than refuse it.
    if any(isinstance(value, float) and isinf(value) for value in values):
        raise ValueError("Input y contains infinity. Drop these rows.")


def check_weights(sample_weight: Any, n_samples: int) -> np.ndarray:
    """Return one weight per sample, float64, not negative and not all 0."""
    weights = _check_sample_weight(
        sample_weight, range(n_samples), dtype=np.float64, ensure_non_negative=True
    )
    if not weights.any():
        # scikit-learn checks this itself from version 1.9 on.
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights
