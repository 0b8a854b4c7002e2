"""Types of annotations, and records with fields of these types."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from sklearn_bert._saving.hints import has_type, make_record


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (1, int),
        (np.int8(1), int),
        (1.5, float),
        (1, float),
        (np.float32(1), float),
        (True, bool),
        (np.True_, bool),
        ("a", str),
        (None, None),
        (None, str | None),
        ("a", str | None),
        ([], list[int]),
        ([1, 2], list[int]),
        ((1, 2, 3), tuple[int, ...]),
        (None, tuple[int, ...] | None),
        ((1, 2), tuple[int, ...] | None),
        ((("a", 1), ("b", 2)), tuple[tuple[str, int], ...]),
        ({"a": [1]}, dict[str, list[int] | None]),
        (object(), Any),
    ],
)
def test_values_of_a_type(value, hint):
    assert has_type(value, hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (True, int),
        (1.0, int),
        ("1", int),
        (False, float),
        (1, bool),
        (None, str),
        (0, None),
        ([1, "a"], list[int]),
        ((1,), list[int]),
        ((1, "a"), tuple[int, ...]),
        (3, tuple[int, ...]),
        ((("a",),), tuple[tuple[str, int], ...]),
        ({1: "a"}, dict[str, str]),
        ({"a": 1}, dict[str, str]),
        ([1], np.ndarray),
    ],
)
def test_values_of_another_type(value, hint):
    assert not has_type(value, hint)


@dataclass(frozen=True)
class Record:
    a: int
    b: str | None = None
    c: list[int] = field(default_factory=list)


def test_fields_with_defaults_may_be_missing():
    assert make_record(Record, {"a": 1}) == Record(1)
    assert make_record(Record, {"a": 1, "b": "x", "c": [2]}) == Record(1, "x", [2])


@pytest.mark.parametrize(
    "values", [{}, {"b": "x"}, {"a": 1, "d": 2}, {"a": "1"}, {"a": 1, "c": ["x"]}]
)
def test_other_fields_are_refused(values):
    with pytest.raises(TypeError, match="Record"):
        make_record(Record, values)
