"""Validation of targets and weights.

Error messages are those of scikit-learn where it has them.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from math import isinf
from numbers import Integral, Number, Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_array, check_non_negative

from sklearn_bert._config import quote
from sklearn_bert._inputs.columns import as_list
from sklearn_bert._inputs.values import (
    call_hiding_values,
    is_missing,
    show,
    show_some,
)

_BYTES = bytes | bytearray | memoryview


def check_y_given(y: Any, estimator: Any, what: str) -> None:
    """Raise an error if y is None."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            f"None. Pass one {what} per text."
        )


def check_collection(values: Any, name: str, what: str) -> None:
    """Raise an error if values are not an array-like of at least one dimension.

    Parameters
    ----------
    values : object
    name : str
        Name of the parameter.
    what : str
        What it contains for each sample.
    """
    is_collection = (
        isinstance(values, Sequence)
        or hasattr(values, "__array__")
        or (hasattr(values, "__len__") and hasattr(values, "__getitem__"))
    )
    is_other = isinstance(values, str | Mapping | Set | np.matrix | _BYTES)
    if is_collection and not is_other and getattr(values, "ndim", 1) != 0:
        return
    raise ValueError(
        f"{name} must be a list, an array, a Series or a frame with one {what} per "
        f"sample. Got {show(values)}. {_how_to_list(values, name, what)}"
    )


def _how_to_list(values: Any, name: str, what: str) -> str:
    if isinstance(values, Mapping):
        return f"Pass its values in the order of X, for instance list({name}.values())."
    if isinstance(values, set | frozenset):
        return "A set has no order. Pass a list in the order of X."
    if isinstance(values, np.matrix | memoryview):
        return f"Convert it to an array: numpy.asarray({name})."
    is_value = isinstance(values, str | _BYTES) or getattr(values, "ndim", 1) == 0
    if isinstance(values, Iterable) and not is_value:
        return f"Convert it to a list: list({name})."
    return f"Pass a list with one {what} per sample."


def check_not_masked(values: Any, name: str) -> None:
    """Raise an error for masked values, whose mask np.asarray would drop."""
    if isinstance(values, Sequence):
        rows = [row for row, value in enumerate(values) if value is np.ma.masked]
    elif np.ma.is_masked(values):
        rows = sorted({int(row) for row in np.ma.getmaskarray(values).nonzero()[0]})
    else:
        rows = []
    if not rows:
        return
    raise ValueError(
        f"{name} must not contain masked values. Got masked values in row "
        f"{show_some(rows)}. Drop these rows from X and {name}, or replace the values."
    )


def check_plain_text(label: str, rule: str, where: str) -> None:
    """Raise an error for a text that str() changes, such as a member of an Enum.

    NumPy, and therefore scikit-learn's metrics, would read it as the name of the
    member.
    """
    if str(label) != label:
        raise ValueError(
            f"{rule} plain texts. Got {show(label)} {where}, which scikit-learn's "
            f"metrics would read as {quote(str(label))}. Pass the text of each member: "
            "label.value."
        )


def check_all_numbers(values: Any, name: str) -> None:
    """Raise an error for values that are not numbers, missing values excepted.

    Parameters
    ----------
    values : object
        The result of :func:`as_array`.
    name : str
        Name of the parameter.
    """
    if sparse.issparse(values):
        raise ValueError(
            f"{name} must be dense. Got a sparse {type(values).__name__}. Convert it: "
            f"{name}.toarray()."
        )
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} must contain the same number of values for each sample. Got rows "
            f"of different lengths, such as {show(values[0])} in row 0. Pass one "
            "number per sample, or lists of the same length."
        ) from error
    if array.dtype.kind in "mM":
        raise ValueError(
            f"{name} must contain numbers. Got values of dtype {array.dtype}. Convert "
            "them to numbers in a unit of your choice: durations / "
            "numpy.timedelta64(1, 'D'), or (dates - start) / numpy.timedelta64(1, 'D')."
        )
    if array.dtype.kind in "OUS":
        _check_each_number(array, name)


def _check_each_number(array: np.ndarray, name: str) -> None:
    for (row, *_), value in np.ndenumerate(array.astype(object)):
        if not (is_missing(value) or _is_number(value)):
            raise ValueError(
                f"{name} must contain numbers. Got {show(value)} in row {row}. Convert "
                "all values to numbers, or drop the row."
            )


def _is_number(value: Any) -> bool:
    """Return whether a value is a number, or a text that contains one."""
    # NumPy converts dates and bytes too.
    if isinstance(value, np.datetime64 | np.timedelta64 | bytes):
        return False
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def as_array(y: Any) -> Any:
    """Return y as a NumPy array that preserves the values.

    scikit-learn would convert nullable integers to floats, and NumPy would convert
    numbers to texts in mixed lists. Lists of lists or sets, and values that are not
    array-like, are returned unchanged.
    """
    is_sequence = isinstance(y, Sequence) and not isinstance(y, str | bytes)
    if sparse.issparse(y) or not (is_sequence or hasattr(y, "__array__")):
        return y
    if is_sequence and any(
        isinstance(x, set | frozenset) or as_list(x) is not None for x in y
    ):
        return y
    array = np.asarray(y)
    if is_sequence and _is_changed(array, y):
        array = as_objects(list(y))
    # scikit-learn does not support StringDType.
    return _numbers(array.astype(object) if array.dtype.kind == "T" else array)


def _numbers(array: np.ndarray) -> np.ndarray:
    """Convert objects to numbers if that preserves all values."""
    if array.dtype != object or not all(isinstance(x, Number) for x in array.flat):
        return array
    values = array.tolist()
    numbers = np.array(values)
    if _is_changed(numbers, values) and _fit_into_uint64(values):
        return np.array(values, dtype=np.uint64)
    # Durations of NumPy are instances of Number, and would convert other numbers.
    is_number = numbers.dtype.kind in "biufc"
    return numbers if is_number and not _is_changed(numbers, values) else array


def _fit_into_uint64(values: Sequence[Any]) -> bool:
    """Return whether values are integers that uint64 holds.

    NumPy converts a list of small and of large ones to floats.
    """
    return all(isinstance(x, Integral) and 0 <= int(x) < 2**64 for x in values)


def _is_changed(array: np.ndarray, values: Sequence[Any]) -> bool:
    """Return whether NumPy changed the values of a sequence to those of an array."""
    # NumPy dates change their type in a list.
    if array.dtype.kind in "mM":
        return False
    # Integers that need int64 and uint64 become floats, which may be equal to them.
    is_rounded = array.dtype.kind == "f" and all(
        isinstance(value, Integral) for value in values
    )
    return is_rounded or array.tolist() != list(values)


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
    check_collection(sample_weight, "sample_weight", "number")
    check_not_masked(sample_weight, "sample_weight")
    check_all_numbers(as_array(sample_weight), "sample_weight")
    weights = call_hiding_values(
        check_array,
        sample_weight,
        ensure_2d=False,
        dtype=np.float64,
        input_name="sample_weight",
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
