"""What all targets must be, and what weights may be.

Errors are scikit-learn's own wherever it has one.
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
    """Refuse a y of None."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            f"None. Give one {what} per text."
        )


def as_array(y: Any) -> Any:
    """Return y as an array of a NumPy dtype that holds the values as they are.

    scikit-learn would make floats of nullable integers, and NumPy texts of numbers
    next to texts. Lists of lists or sets stay as they are, and whatever is not
    array-like.
    """
    is_sequence = isinstance(y, Sequence) and not isinstance(y, str | bytes)
    if sparse.issparse(y) or not (is_sequence or hasattr(y, "__array__")):
        return y
    if is_sequence and any(isinstance(x, set) or as_list(x) is not None for x in y):
        return y
    array = np.asarray(y)
    # NumPy's dates become other types in a list.
    if is_sequence and array.dtype.kind not in "mM" and array.tolist() != list(y):
        array = as_objects(list(y))
    # scikit-learn does not know NumPy's StringDType.
    return _numbers(array.astype(object) if array.dtype.kind == "T" else array)


def _numbers(array: np.ndarray) -> np.ndarray:
    """Return objects as numbers if they all are, and stay the same."""
    if array.dtype != object or not all(isinstance(x, Number) for x in array.flat):
        return array
    numbers = np.array(array.tolist())
    is_same = numbers.dtype != object and numbers.tolist() == array.tolist()
    return numbers if is_same else array


def as_objects(values: Sequence[Any]) -> np.ndarray:
    """Return values as an array of objects, also if they are lists."""
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array


def check_no_missing(y: Any, what: str) -> None:
    """Refuse missing values and infinity, in arrays and in lists of lists."""
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
            f"in row {show_some(rows)}. Drop these rows, or give them a {what}."
        )
    # type_of_target would warn of infinity rather than refuse it.
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
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), one weight per sample. Got "
            f"shape {weights.shape}."
        )
    check_non_negative(weights, "`sample_weight`")
    if not weights.any():
        # scikit-learn checks this itself from version 1.9 on.
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights
