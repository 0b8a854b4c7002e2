"""What groups of samples may be."""

import numpy as np
import pytest

from sklearn_bert._targets.groups import check_groups


def test_no_groups_are_none():
    assert check_groups(None, 3) is None


@pytest.mark.parametrize("kind", ["list", "array", "objects", "pandas", "polars"])
def test_groups_are_numbered_in_any_container(kind):
    values = ["b", "a", "b", "c"]
    if kind in ("pandas", "polars"):
        groups = pytest.importorskip(kind).Series(values)
    elif kind == "list":
        groups = values
    else:
        groups = np.array(values, dtype=object if kind == "objects" else None)
    assert check_groups(groups, 4).tolist() == [0, 1, 0, 2]


def test_groups_of_several_types_need_no_order():
    assert check_groups([3, "3", (3,), 3.0], 4).tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("abc", "groups must be a list, an array"),
        ([1, 2], r"one value for each of the 3 samples.*shape \(2,\)"),
        (np.ones((3, 1)), r"one value for each of the 3 samples.*shape \(3, 1\)"),
        ([1, None, float("nan")], "missing values in row 1, 2"),
        ([1, 2, [3]], "can be the key of a dict.*in row 2"),
    ],
    ids=["text", "shorter", "two dimensions", "missing", "lists"],
)
def test_other_groups_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        check_groups(groups, 3)
