"""Values that are not texts, not sentences of words, or not targets, by name.

Each entry makes its value, since iterators are used up.
"""

import array
import collections
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import types
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
from scipy import sparse

SOME = ["a good film", "the bad plot", "good music", "bad and dull"]


class Unreadable:
    """Raises the given error in whatever is asked of it."""

    def __init__(self, error, *names):
        self._error, self._names = error, names

    def _fail(self, name):
        if name in self._names:
            raise self._error

    def __len__(self):
        self._fail("len")
        return 4

    def __getitem__(self, place):
        self._fail("getitem")
        return SOME[place]

    def __iter__(self):
        self._fail("iter")
        return iter(SOME)


class Array:
    """An object whose conversion to an array gives a value, or raises an error."""

    def __init__(self, value):
        self._value = value

    def __array__(self, dtype=None, copy=None):
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


class Shaped(list):
    """A list that claims a shape."""

    def __init__(self, values, shape):
        super().__init__(values)
        self.shape = shape


class Color(enum.Enum):
    """Members that are no texts."""

    RED = "red"


def _in_itself():
    value = []
    value.append(value)
    return value


def _nested(depth):
    value = "a"
    for _ in range(depth):
        value = [value]
    return value


def _objects(values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _fails(error):
    yield SOME[0]
    raise error


# What is not a collection of texts at all.
SCALARS = {
    "None": lambda: None,
    "an int": lambda: 3,
    "a negative int": lambda: -1,
    "an int of 400 digits": lambda: 10**400,
    "a float": lambda: 0.5,
    "nan": lambda: math.nan,
    "infinity": lambda: math.inf,
    "True": lambda: True,
    "False": lambda: False,
    "a complex number": lambda: 1j,
    "a text": lambda: "a good film",
    "an empty text": lambda: "",
    "bytes": lambda: b"a good film",
    "a bytearray": lambda: bytearray(b"a good film"),
    "a memoryview": lambda: memoryview(b"a good film"),
    "an object": object,
    "a class": lambda: str,
    "a function": lambda: len,
    "a lambda": lambda: lambda: SOME,
    "a module": lambda: math,
    "an exception": lambda: ValueError("a good film"),
    "a date": lambda: datetime.date(2020, 1, 1),
    "a timedelta": lambda: datetime.timedelta(1),
    "a Decimal": lambda: decimal.Decimal("1.5"),
    "a Fraction": lambda: fractions.Fraction(1, 2),
    "a path": lambda: pathlib.Path("a good film"),
    "a UUID": lambda: uuid.UUID(int=1),
    "a slice": lambda: slice(4),
    "Ellipsis": lambda: ...,
    "NotImplemented": lambda: NotImplemented,
    "a member of an Enum": lambda: Color.RED,
    "an Enum": lambda: Color,
    "a namespace": lambda: types.SimpleNamespace(texts=SOME),
    "NA": lambda: pd.NA,
    "NaT": lambda: pd.NaT,
    "a NumPy number": lambda: np.float64(1),
    "a NumPy text": lambda: np.str_("a good film"),
    "a NumPy date": lambda: np.datetime64("2020-01-01"),
    "a NumPy void": lambda: np.void(b"abc"),
    "a masked value": lambda: np.ma.masked,
    "a scalar of pyarrow": lambda: pa.scalar("a good film"),
    "a scalar of torch": lambda: torch.tensor(1.0),
    "an estimator": lambda: sparse,
}
# Values among texts, or in place of a whole sentence or pair.
ELEMENTS = {
    **{f"in row 1, {name}": make for name, make in SCALARS.items()},
    "in row 1, an empty list": list,
    "in row 1, an empty tuple": tuple,
    "in row 1, a list of a text": lambda: ["a"],
    "in row 1, three texts": lambda: ["a", "b", "c"],
    "in row 1, a pair of numbers": lambda: [1, 2],
    "in row 1, a dict": lambda: {"text": "a"},
    "in row 1, an empty dict": dict,
    "in row 1, a set": lambda: {"a"},
    "in row 1, an array": lambda: np.array(["a", "b"]),
    "in row 1, an array of no dimension": lambda: np.array("a"),
    "in row 1, an array of numbers": lambda: np.arange(3),
    "in row 1, a Series": lambda: pd.Series(["a", "b", "c"]),
    "in row 1, a frame": lambda: pd.DataFrame({"a": ["b"]}),
    "in row 1, a tensor": lambda: torch.arange(3),
    "in row 1, a generator": lambda: (x for x in "ab"),
    "in row 1, a list in itself": _in_itself,
    "in row 1, a deeply nested list": lambda: _nested(3000),
    "in row 1, a user's text": lambda: collections.UserString("a"),
}
# These are texts, or may be the text of a row, or mean what is asked for elsewhere.
for _name in ("a text", "an empty text", "a NumPy text"):
    del ELEMENTS[f"in row 1, {_name}"]
CONTAINERS = {
    "an empty list": list,
    "an empty tuple": tuple,
    "an empty dict": dict,
    "an empty set": set,
    "an empty array": lambda: np.array([]),
    "an empty array of texts": lambda: np.array([], dtype="<U1"),
    "an empty Series": lambda: pd.Series([], dtype=object),
    "an empty frame": pd.DataFrame,
    "a frame without rows": lambda: pd.DataFrame({"text": []}),
    "a frame without columns": lambda: pd.DataFrame(index=range(4)),
    "an empty frame of polars": pl.DataFrame,
    "an empty array of pyarrow": lambda: pa.array([]),
    "an empty iterator": lambda: iter([]),
    "an array of no rows": lambda: np.empty((0, 1)),
    "an array of no columns": lambda: np.empty((4, 0)),
    "a dict of texts": lambda: dict(zip("abcd", SOME, strict=True)),
    "a dict of lists": lambda: {"text": SOME},
    "a set of texts": lambda: set(SOME),
    "a frozenset of texts": lambda: frozenset(SOME),
    "a range": lambda: range(4),
    "numbers": lambda: [1, 2, 3, 4],
    "missing values": lambda: [None] * 4,
    "bytes in a list": lambda: [x.encode() for x in SOME],
    "an array of numbers": lambda: np.arange(4.0),
    "a matrix of numbers": lambda: np.eye(4),
    "an array of bools": lambda: np.ones(4, dtype=bool),
    "an array of complex numbers": lambda: np.ones(4, dtype=complex),
    "an array of dates": lambda: np.array(["2020-01-01"] * 4, dtype="M8[D]"),
    "an array of bytes": lambda: np.array([x.encode() for x in SOME]),
    "an array of records": lambda: np.array([("a", 1)] * 4, dtype="U9,i4"),
    "a record array": lambda: np.rec.array([("a", 1)] * 4, dtype="U9,i4"),
    "an array of no dimension": lambda: np.array("a good film"),
    "an array of objects of no dimension": lambda: np.array(None),
    "three dimensions of texts": lambda: np.full((4, 1, 1), "a"),
    "three columns of texts": lambda: np.full((4, 3), "a"),
    "rows of 3 texts": lambda: [["a", "b", "c"]] * 4,
    "rows of different lengths": lambda: [["a", "b"], ["a"], ["a", "b"], ["b"]],
    "texts and pairs": lambda: ["a", ("a", "b"), "b", ("b", "a")],
    "pairs with None": lambda: [("a", None)] * 4,
    "pairs with numbers": lambda: [("a", 1)] * 4,
    "pairs of lists": lambda: [(["a"], ["b"])] * 4,
    "a masked array": lambda: np.ma.array(SOME, mask=[0, 1, 0, 0]),
    "a sparse matrix": lambda: sparse.csr_matrix(np.eye(4)),
    "a sparse array": lambda: sparse.coo_array(np.eye(4)),
    "a tensor": lambda: torch.ones(4),
    "a tensor of no dimension": lambda: torch.tensor(1),
    "an array of the standard library": lambda: array.array("d", [1.0] * 4),
    "a Series of numbers": lambda: pd.Series([1, 2, 3, 4]),
    "a Series with a missing value": lambda: pd.Series(["a", None, "b", "c"]),
    "a Series of dates": lambda: pd.Series(pd.date_range("2020", periods=4)),
    "a Series of numbers in categories": lambda: pd.Series([1, 2, 1, 2]).astype(
        "category"
    ),
    "an Index of numbers": lambda: pd.Index([1, 2, 3, 4]),
    "a frame of numbers": lambda: pd.DataFrame(np.eye(4)),
    "a frame of texts and numbers": lambda: pd.DataFrame({"a": SOME, "b": 1}),
    "a frame of three columns": lambda: pd.DataFrame(dict.fromkeys("abc", SOME)),
    "a frame of columns of one name": lambda: pd.DataFrame(
        [["a", "b"]] * 4, columns=["t", "t"]
    ),
    "a frame with a missing value": lambda: pd.DataFrame({"a": ["a", None, "b", "c"]}),
    "a Series of polars of numbers": lambda: pl.Series([1, 2, 3, 4]),
    "a Series of polars with a null": lambda: pl.Series(["a", None, "b", "c"]),
    "a frame of polars of numbers": lambda: pl.DataFrame({"a": [1, 2, 3, 4]}),
    "a frame of polars of three columns": lambda: pl.DataFrame(
        dict.fromkeys("abc", SOME)
    ),
    "a lazy frame": lambda: pl.LazyFrame({"a": SOME}),
    "an array of pyarrow of numbers": lambda: pa.array([1, 2, 3, 4]),
    "an array of pyarrow with a null": lambda: pa.array(["a", None, "b", "c"]),
    "a table of pyarrow of numbers": lambda: pa.table({"a": [1, 2, 3, 4]}),
    "a table of pyarrow of three columns": lambda: pa.table(dict.fromkeys("abc", SOME)),
    "a list in itself": _in_itself,
    "a deeply nested list": lambda: _nested(3000),
    "a conversion to numbers": lambda: Array(np.arange(4.0)),
    "a conversion to no dimension": lambda: Array(np.array("a")),
    "a generator of numbers": lambda: (x for x in range(4)),
    "a generator of missing values": lambda: (None for _ in range(4)),
    "a generator of letters of nested lists": lambda: ([[x]] for x in SOME),
    "a zip of three": lambda: zip(SOME, SOME, SOME, strict=True),
    "a map to numbers": lambda: map(len, SOME),
    "an enumeration": lambda: enumerate(SOME),
    "a deque of numbers": lambda: collections.deque([1, 2, 3, 4]),
    "a counter of texts": lambda: collections.Counter(SOME),
    "a mapping of modules": lambda: vars(math),
}
# Collections whose own code fails: its ValueError or TypeError may pass.
FAILING = {
    "a generator that fails": lambda: _fails(ValueError("mine")),
    "no length": lambda: Unreadable(TypeError("mine"), "len", "iter", "getitem"),
    "a conversion that fails": lambda: Array(ValueError("mine")),
}
# Targets of four samples that are none for any estimator.
TARGETS = {
    "an empty list": list,
    "an empty array": lambda: np.array([]),
    "three labels": lambda: [0, 1, 0],
    "five labels": lambda: [0, 1, 0, 1, 0],
    "three rows of tags": lambda: [["A"]] * 3,
    "missing values": lambda: [None] * 4,
    "a missing value": lambda: [0, 1, None, 1],
    "a missing number": lambda: [0.0, 1.0, math.nan, 1.0],
    "an infinite number": lambda: [0.0, 1.0, math.inf, 1.0],
    "a missing value in a Series": lambda: pd.Series([0, 1, None, 1]),
    "a null in a Series of polars": lambda: pl.Series([0, 1, None, 1]),
    "NA": lambda: [0, 1, pd.NA, 1],
    "a masked array": lambda: np.ma.array([0, 1, 0, 1], mask=[0, 1, 0, 0]),
    "complex numbers": lambda: [1j] * 4,
    "bytes": lambda: [b"a", b"b", b"a", b"b"],
    "objects": lambda: [object() for _ in range(4)],
    "functions": lambda: [len, max, len, max],
    "a set": lambda: {0, 1, 2, 3},
    "a dict": lambda: {0: 0, 1: 1, 2: 0, 3: 1},
    "dicts": lambda: [{"a": 1}] * 4,
    "sets": lambda: [{"a"}] * 4,
    "lists of different lengths": lambda: [[0], [0, 1], [0], [1, 1]],
    "three dimensions": lambda: np.zeros((4, 1, 1)),
    "no columns": lambda: np.zeros((4, 0)),
    "no dimension": lambda: np.array(1),
    "an array of records": lambda: np.array([("a", 1)] * 4, dtype="U9,i4"),
    "dates": lambda: np.array(["2020-01-01"] * 4, dtype="M8[D]"),
    "an Enum": lambda: [Color.RED] * 4,
    "a list in itself": _in_itself,
    "a deeply nested list": lambda: [_nested(3000)] * 4,
    "a frame of three columns of texts": lambda: pd.DataFrame(
        dict.fromkeys("abc", SOME)
    ),
    "a conversion that fails": lambda: Array(ValueError("mine")),
    "a generator that fails": lambda: _fails(ValueError("mine")),
}
