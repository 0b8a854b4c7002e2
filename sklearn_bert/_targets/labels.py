"""Validation of class labels."""

from collections.abc import Iterable, Sequence
from functools import partial
from numbers import Number
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_consistent_length

from sklearn_bert._config import quote
from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._inputs.columns import as_list
from sklearn_bert._inputs.values import call_hiding_values, is_missing, show
from sklearn_bert._targets.checks import (
    as_array,
    check_collection,
    check_no_missing,
    check_not_masked,
    check_plain_text,
    check_y_given,
)


def check_labels(
    y: Any, texts: Texts, estimator: Any, *, warn: bool = True
) -> np.ndarray | sparse.csr_array:
    """Validate y as one label per text, or as a label indicator matrix.

    Labels that scikit-learn's splitters and metrics refuse are refused, since
    cross-validation passes them y as it was given.

    Parameters
    ----------
    y : array-like or sparse matrix
    texts : Texts
        The samples of y.
    estimator : object
        Named in error messages.
    warn : bool
        Whether to warn about a single column, as scikit-learn does in fit.

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
    if not sparse.issparse(y):
        check_collection(y, "y", "label")
        check_not_masked(y, "y")
    given, y = y, as_array(y)
    check_no_missing(y, "label")
    if isinstance(y, list | tuple):
        _refuse_label_lists(y)
    elif isinstance(y, np.ndarray):
        _refuse_other_labels(y)
    check_consistent_length(texts.first, y)
    kind = _type_of_target(given, y)
    call_hiding_values(check_classification_targets, y)
    check = partial(
        call_hiding_values, check_array, input_name="y", estimator=estimator
    )
    if kind == "multilabel-indicator":
        y = check(y, accept_sparse="csr")
        _check_indicators(y)
        return y
    if kind.endswith("multioutput"):
        raise ValueError(
            "y must contain one label per text, or be a label indicator matrix of "
            f"zeros and ones. Got {kind} targets of shape {np.shape(y)}. Convert lists "
            "of labels with sklearn.preprocessing.MultiLabelBinarizer; for several "
            "multiclass targets, use sklearn.multioutput.MultiOutputClassifier."
        )
    if sparse.issparse(y):
        raise ValueError(
            f"y must be dense if it has one column. Got a sparse {type(y).__name__} of "
            f"shape {y.shape}. Convert it: y.toarray().ravel()."
        )
    y = check(y, ensure_2d=False, dtype=None)
    return call_hiding_values(column_or_1d, y, warn=warn)


def check_classes(classes: Any) -> np.ndarray:
    """Return the sorted labels of the parameter ``classes`` of partial_fit."""
    remedy = "Pass all labels that occur in any call: ['a', 'b', ...]."
    is_array = hasattr(classes, "__array__")
    is_value = isinstance(classes, str | bytes) or getattr(classes, "ndim", 1) == 0
    # Whether a sparse array can be iterated over depends on the version of SciPy.
    is_value = is_value or sparse.issparse(classes)
    if is_value or not (is_array or isinstance(classes, Iterable)):
        raise ValueError(f"classes must be a list. Got {show(classes)}. {remedy}")
    check_not_masked(classes, "classes")
    labels = as_array(classes if is_array else list(classes))
    if isinstance(labels, np.ndarray) and labels.shape[1:] == (1,):
        labels = labels[:, 0]
    if not isinstance(labels, np.ndarray) or labels.ndim != 1 or len(labels) == 0:
        raise ValueError(
            "classes must be a list of labels, of one dimension and not empty. Got "
            f"{show(classes)}. {remedy}"
        )
    if any(map(is_missing, labels.tolist())):
        raise ValueError(
            f"classes must not contain missing values. Got {show(classes)}. {remedy}"
        )
    _refuse_other_labels(labels, "classes")
    return np.unique(labels)


def _refuse_label_lists(y: Sequence[Any]) -> None:
    """Raise an error for lists and sets of labels that are not indicators."""
    rows = [row if isinstance(row, set | frozenset) else as_list(row) for row in y]
    is_empty = all(row is not None and not row for row in rows)
    for labels, row in zip(y, rows, strict=True):
        # Other rows tell whether an empty row is one of labels or of indicators.
        if row is None or not (row or is_empty or None in rows):
            continue
        if any(as_list(value) is not None for value in row):
            raise _too_deep("y", f"{show(labels)}, a list of lists")
        is_indicator = isinstance(row, list) and all(isinstance(x, Number) for x in row)
        if not is_indicator or len(row) < 2 or None in rows:
            raise ValueError(
                f"y must contain one label per text. Got {show(labels)}. If texts may "
                "have several labels, convert y with "
                "sklearn.preprocessing.MultiLabelBinarizer; if each text has one, pass "
                "[label for [label] in y]."
            )


def _refuse_other_labels(y: np.ndarray, name: str = "y") -> None:
    """Raise an error for labels that cannot be sorted, or that metrics change."""
    if y.ndim > 2:
        raise _too_deep(name, f"{y.ndim} dimensions (shape={y.shape})")
    if y.dtype.kind not in "OSV":
        return
    for (row, *_), label in np.ndenumerate(y.astype(object)):
        if isinstance(label, str):
            check_plain_text(label, f"{name} must contain", f"in row {row}")
            continue
        _refuse_label_lists([label])
        raise ValueError(
            f"Unknown label type: {name} must contain only texts (str), only bool, or "
            f"only integers of at most 64 bits. Got {show(label)} in row {row}. "
            f"{_how_to_label(label, name)}"
        )


def _too_deep(name: str, what: str) -> ValueError:
    return ValueError(
        f"{name} must have one dimension, or two if it is a label indicator matrix. "
        f"Got {what}. Pass one label per text."
    )


def _how_to_label(label: Any, name: str) -> str:
    if isinstance(label, bytes):
        return f"Decode the labels: [label.decode() for label in {name}]."
    if hasattr(label, "as_py"):
        return f"Convert pyarrow scalars: [label.as_py() for label in {name}]."
    return f"Convert the labels to texts: list(map(str, {name}))."


def _type_of_target(given: Any, y: Any) -> str:
    """Return scikit-learn's type of the target; refuse what its metrics refuse.

    ``y`` is the result of :func:`as_array` for ``given``, which cross-validation passes
    to splitters and metrics.
    """
    if getattr(getattr(given, "dtype", None), "kind", None) == "T":
        raise _not_readable(given, y)
    # It converts nullable integers to floats and back, and large ones overflow.
    with np.errstate(invalid="ignore"):
        kind = call_hiding_values(type_of_target, given, input_name="y")
    if not isinstance(y, np.ndarray) or y.dtype.kind not in "biuf":
        return kind
    is_rounded = kind == "continuous" and y.dtype.kind in "iu"
    is_matrix = y.ndim == 2 and y.shape[1] > 1
    is_objects = is_matrix and np.asarray(given).dtype == object
    if kind == "unknown" or is_rounded or is_objects:
        raise _not_readable(given, y)
    return kind


def _not_readable(given: Any, y: np.ndarray) -> ValueError:
    dtype = getattr(given, "dtype", "object")
    return ValueError(
        "Unknown label type: y must have a dtype that scikit-learn's splitters and "
        f"metrics accept. Got dtype {dtype} ({type(given).__name__}) with "
        f"{show(y.tolist()[0])} in row 0. Convert it: "
        f"numpy.asarray(y, dtype={y.dtype.name!r})."
    )


def _check_indicators(y: np.ndarray | sparse.csr_array) -> None:
    """Raise an error for values other than 0 and 1, unlike scikit-learn."""
    values = y.data if sparse.issparse(y) else y
    if not np.isin(values, (0, 1)).all():
        raise ValueError(
            "y must be a label indicator matrix of zeros and ones if it has several "
            f"columns. Got the values {quote(np.unique(values).tolist())}. Pass "
            "(y == value).astype(int) if one value marks the label; for several "
            "multiclass targets, use sklearn.multioutput.MultiOutputClassifier."
        )
