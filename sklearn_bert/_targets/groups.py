"""Validation of groups, of which none may be on both sides of a split."""

from typing import Any

import numpy as np

from sklearn_bert._inputs.columns import as_list
from sklearn_bert._inputs.values import is_missing, show, show_some
from sklearn_bert._targets.checks import check_collection, check_not_masked


def check_groups(groups: Any, n_samples: int) -> np.ndarray | None:
    """Return the number of the group of each sample.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
    n_samples : int

    Returns
    -------
    ndarray of shape (n_samples,) or None
        Groups are counted from 0, in the order in which they occur.

    Raises
    ------
    ValueError
        If there is not one group per sample.
    """
    if groups is None:
        return None
    check_collection(groups, "groups", "group")
    check_not_masked(groups, "groups")
    values = as_list(groups)
    if values is None or len(values) != n_samples:
        shape = getattr(groups, "shape", (len(groups),))
        raise ValueError(
            f"groups must have one value for each of the {n_samples} samples. Got "
            f"groups of shape {shape}. Pass one group per row of X, in the same order."
        )
    rows = [row for row, value in enumerate(values) if is_missing(value)]
    if rows:
        raise ValueError(
            "groups must not contain missing values. Got missing values in row "
            f"{show_some(rows)}. Drop these rows, or give each a group of its own."
        )
    return _number(values)


def _number(values: list[Any]) -> np.ndarray:
    numbers: dict[Any, int] = {}
    found = np.empty(len(values), dtype=np.int64)
    for row, value in enumerate(values):
        try:
            found[row] = numbers.setdefault(value, len(numbers))
        except TypeError as error:
            raise ValueError(
                "groups must contain texts, numbers or other values that can be the "
                f"key of a dict. Got {show(value)} in row {row}. Pass the name or the "
                "number of each group."
            ) from error
    return found
