"""Validation of class labels."""

from collections.abc import Iterable, Sequence
from numbers import Number
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_consistent_length

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._inputs.columns import as_list
from sklearn_bert._inputs.values import show
from sklearn_bert._targets.checks import as_array, check_no_missing, check_y_given


def check_labels(y: Any, texts: Texts, estimator: Any) -> np.ndarray | sparse.csr_array:
    """Validate y as one label per text, or as a label indicator matrix.

    Parameters
    ----------
    y : array-like or sparse matrix
    texts : Texts
        The samples of y.
    estimator : object
        Named in error messages.

    Returns
    -------
    ndarray of shape (n_samples,), or ndarray or CSR of shape (n_samples, n_labels)

    Raises
    ------
    ValueError
        If y has a different length, contains missing values or numbers that are not
        labels, or has several columns and is not an indicator matrix.
    """
    check_y_given(y, estimator, "label")
    given, y = y, as_array(y)
    check_no_missing(y, "label")
    if isinstance(y, list | tuple):
        _refuse_label_lists(y)
    elif isinstance(y, np.ndarray):
        _refuse_objects(y, given)
    kind = type_of_target(y, input_name="y")
    check_consistent_length(texts.first, y)
    check_classification_targets(y)
    if kind == "multilabel-indicator":
        y = check_array(y, accept_sparse="csr", input_name="y", estimator=estimator)
        _check_indicators(y)
        return y
    if kind.endswith("multioutput"):
        raise ValueError(
            "y must contain one label per text, or be a label indicator matrix of "
            f"zeros and ones. Got {kind} targets of shape {np.shape(y)}. Convert lists "
            "of labels with sklearn.preprocessing.MultiLabelBinarizer; for several "
            "multiclass targets, use sklearn.multioutput.MultiOutputClassifier."
        )
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y", estimator=estimator)
    return column_or_1d(y, warn=True)


def check_classes(classes: Iterable[Any]) -> np.ndarray:
    """Return the sorted labels."""
    given = list(classes)
    labels = np.asarray(as_array(given))
    _refuse_objects(labels, given)
    return np.unique(labels)


def _refuse_label_lists(y: Sequence[Any]) -> None:
    """Raise an error for lists and sets of labels that are not indicators."""
    rows = [row if isinstance(row, set) else as_list(row) for row in y]
    for labels, row in zip(y, rows, strict=True):
        if not row:
            continue
        is_numbers = all(isinstance(value, Number) for value in row)
        if not is_numbers or len(row) == 1 or None in rows:
            raise ValueError(
                f"y must contain one label per text. Got {show(labels)}. If texts may "
                "have several labels, convert y with "
                "sklearn.preprocessing.MultiLabelBinarizer; if each text has one, pass "
                "[label for [label] in y]."
            )


def _refuse_objects(y: np.ndarray, given: Any) -> None:
    """Raise an error for labels that cannot be sorted, or that scorers change."""
    if y.dtype != object:
        return
    for (row, *_), label in np.ndenumerate(y):
        if not isinstance(label, str):
            _refuse_label_lists([label])
            raise ValueError(
                "Unknown label type: y must contain only texts (str), only bool, or "
                f"only integers of at most 64 bits. Got {show(label)} in row {row}. "
                "Convert all labels to one of these types."
            )
        if isinstance(given, Sequence) and str(label) != label:
            raise ValueError(
                f"y must contain plain texts if it is a {type(given).__name__}. Got "
                f"{show(label)} in row {row}, which scikit-learn's scorers would read "
                f"as {str(label)!r}. Pass the texts: [label.value for label in y]."
            )


def _check_indicators(y: np.ndarray | sparse.csr_array) -> None:
    """Raise an error for values other than 0 and 1, unlike scikit-learn."""
    values = y.data if sparse.issparse(y) else y
    if not np.isin(values, (0, 1)).all():
        raise ValueError(
            "y must be a label indicator matrix of zeros and ones if it has several "
            f"columns. Got the values {np.unique(values).tolist()}. Pass "
            "(y == value).astype(int) if one value marks the label; for several "
            "multiclass targets, use sklearn.multioutput.MultiOutputClassifier."
        )
