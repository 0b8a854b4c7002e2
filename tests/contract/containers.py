"""The kinds of containers that samples may come in."""

import enum

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa


class NotAnArray:
    """An object that is neither array nor list, but can be converted to an array."""

    def __init__(self, values):
        self._values = values

    def __array__(self, dtype=None, copy=None):
        return as_objects(self._values)


def members(values):
    """Return texts as members of an Enum, whose str() is their name."""
    names = {f"member_{k}": value for k, value in enumerate(dict.fromkeys(values))}
    return list(map(enum.Enum("Members", names, type=str), values))


def as_objects(X):
    """Return a 1-D object array, also of lists of equal length."""
    array = np.empty(len(X), dtype=object)
    array[:] = X
    return array


def spread(values):
    """Return every second element of an array, which is not contiguous then."""
    doubled = np.repeat(values, 2)
    return doubled[::2]


OF_TEXTS = {
    "tuple": tuple,
    "object array": as_objects,
    "<U array": np.array,
    "column": lambda X: as_objects(X).reshape(-1, 1),
    "Fortran column": lambda X: np.asfortranarray(np.array(X).reshape(-1, 1)),
    "strided": lambda X: spread(np.array(X)),
    "reversed twice": lambda X: np.array(X[::-1])[::-1],
    "no array": NotAnArray,
    "Series, odd index": lambda X: pd.Series(X, index=range(len(X), 0, -1)),
    "Series, duplicated index": lambda X: pd.Series(X, index=[0] * len(X)),
    "pandas string": lambda X: pd.Series(X, dtype="string"),
    "pandas category": lambda X: pd.Series(X, dtype="category"),
    "pandas object": lambda X: pd.Series(X, dtype=object),
    "pandas frame": lambda X: pd.DataFrame({"text": X}),
    "polars": pl.Series,
    "polars category": lambda X: pl.Series(X, dtype=pl.Categorical),
    "polars frame": lambda X: pl.DataFrame({"text": X}),
    "pyarrow": pa.array,
    "pyarrow table": lambda X: pa.table({"text": X}),
    "members of an Enum": members,
}

OF_WORDS = {
    "tuple": tuple,
    "tuples": lambda X: [tuple(words) for words in X],
    "object array": as_objects,
    "arrays": lambda X: [np.array(words) for words in X],
    "strided": lambda X: spread(as_objects(X)),
    "pyarrow": pa.array,
    "members of Enums": lambda X: [members(words) for words in X],
    "Series, odd index": lambda X: pd.Series(X, index=range(len(X), 0, -1)),
    "Series, duplicated index": lambda X: pd.Series(X, index=[0] * len(X)),
}


def containers(subject):
    return OF_TEXTS if "texts" in subject.kinds else OF_WORDS


def spoilt(subject, value):
    """Return the X of the subject with a value in row 1 that is not a text."""
    X = list(subject.X)
    X[1] = value if "texts" in subject.kinds else [value, *X[1][1:]]
    return X
