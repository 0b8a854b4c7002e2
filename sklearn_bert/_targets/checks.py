"""Validation of targets and weights.

Error messages are those of scikit-learn where it has them.
"""

from collections.abc import Sequence
from math import isinf
from numbers import Number, Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_array, check_non_negative

from sklearn_bert._inputs.columns import as_list
from sklearn_bert._inputs.values import is_missing, show_some


def check_y_given(y: Any, estimator: Any, what: str) -> None:
    """Raise an error if y is None."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            f"None. Pass one {what} per text."
        )


def as_array(y: Any) -> Any:
    """Return y as a NumPy array that preserves the values.

    scikit-learn would convert nullable integers to floats, and NumPy would convert
    numbers to texts in mixed lists. Lists of lists or sets, and values that are not
    array-like, are returned unchanged.
    """
    is_sequence = isinstance(y, Sequence) and not isinstance(y, str | bytes)
    if sparse.issparse(y) or not (is_sequence or hasattr(y, "__array__")):
        return y
    if is_sequence and any(isinstance(x, set) or as_list(x) is not None for x in y):
        return y
    array = np.asarray(y)
    # NumPy dates change their type in a list.
    if is_sequence and array.dtype.kind not in "mM" and array.tolist() != list(y):
        array = as_objects(list(y))
    # scikit-learn does not support StringDType.
    return _numbers(array.astype(object) if array.dtype.kind == "T" else array)


def _numbers(array: np.ndarray) -> np.ndarray:
    """Convert objects to numbers if that preserves all values."""
    if array.dtype != object or not all(isinstance(x, Number) for x in array.flat):
        return array
    numbers = np.array(array.tolist())
    is_same = numbers.dtype != object and numbers.tolist() == array.tolist()
    return numbers if is_same else array


def as_objects(values: Sequence[Any]) -> np.ndarray:
    """Return values, which may be lists, as an array of objects."""
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array


def check_no_missing(y: Any, what: str) -> None:
    """Raise an error for missing or infinite values, in arrays and lists of lists."""
    if not isinstance(y, np.ndarray | list | tuple) or getattr(y, "ndim", 1) == 0:
        return
    values = y.tolist() if isinstance(y, np.ndarray) else list(y)
    rows = [
        row
        for row, value in enumerate(values)
        if any(map(is_missing, value if isinstance(value, list) else [value]))
    ]
    if rows:
        raise ValueError(
            f"Input y contains NaN. {len(rows)} of {len(values)} {what}s are missing, "
            f"in row {show_some(rows)}. Drop these rows, or set the {what}."
        )
    # type_of_target would only warn about infinity.
    if any(isinstance(value, float) and isinf(value) for value in values):
        raise ValueError("Input y contains infinity. Drop these rows.")


def check_weights(sample_weight: Any, n_samples: int) -> np.ndarray:
    """Return one weight per sample, float64, not negative and not all 0."""
    if sample_weight is None or isinstance(sample_weight, Real):
        sample_weight = np.full(
            n_samples, 1 if sample_weight is None else sample_weight
        )
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {weights.ndim}D array."
        )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}!"
        )
    check_non_negative(weights, "`sample_weight`")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights
