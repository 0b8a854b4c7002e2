"""Reading of containers as columns or rows, regardless of their content."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import getitem
from os import PathLike
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_bert._config import quote
from sklearn_bert._engine.runtime.rows import name_row
from sklearn_bert._inputs.values import is_missing, show, show_each
from sklearn_bert.exceptions import InputError

_COLLECTION = "a list, array, Series or frame of texts (str)"
_PASS_A_LIST = "Pass a list with one text per sample: ['a text', ...]."


def columns_of(X: Any, *, allows_pairs: bool = True) -> list[list[Any]]:
    """Return X as one or two columns of values.

    Parameters
    ----------
    X : list, tuple, array, Series, frame, table or iterable
    allows_pairs : bool
        Whether there may be two columns.

    Raises
    ------
    InputError
        If X is something else, or has a different number of columns.
    """
    X = _collection(X)
    if _is_frame(X):
        readers = _column_readers(X)
        if not _is_allowed(len(readers), allows_pairs):
            raise InputError(f"{_rule(allows_pairs)} {_remedy_for_columns(X)}")
        return [list(read()) for read in readers]
    if isinstance(X, np.ndarray) and (X.ndim > 1 or X.dtype != object):
        return _array_columns(X, allows_pairs)
    # A list, or an object array, which may hold pairs as a list does.
    return _row_columns(list(X), allows_pairs)


def rows_of(X: Any) -> list[Any]:
    """Return the rows of a collection, or the only column of a frame or an array."""
    X = _collection(X)
    if isinstance(X, np.ndarray) and X.shape[1:] == (1,):
        return X[:, 0].tolist()
    if not _is_frame(X):
        return list(X)
    readers = _column_readers(X)
    if len(readers) != 1:
        raise InputError(
            f"X must have one column of sentences. {_remedy_for_columns(X)}"
        )
    return list(readers[0]())


def as_list(row: Any) -> list[Any] | None:
    """Return an ordered collection as a list, and None for anything else."""
    if (
        isinstance(row, str | bytes | Mapping | set | frozenset)
        or not isinstance(row, Iterable)
        or not _has_one_dimension(row)
    ):
        return None
    return row.tolist() if hasattr(row, "tolist") else list(row)


def _has_one_dimension(row: Any) -> bool:
    """Refuse a number in an array, and frames, which iterate over their columns."""
    shape = getattr(row, "shape", None)
    return not isinstance(shape, tuple) or len(shape) == 1


def check_not_empty(rows: Sequence[Any], X: Any) -> None:
    """Raise an error if X has no samples."""
    if not rows:
        raise InputError(
            f"Found array with 0 sample(s) (shape={_shape(X)}) while a minimum of 1 is "
            "required. Pass at least one text."
        )


def _collection(X: Any) -> Any:
    """Return X as a collection; refuse what does not contain samples in an order."""
    if isinstance(X, str):
        raise InputError(
            "Iterable over raw text documents expected, string object received. Put "
            "the text into a list: [text]."
        )
    if isinstance(X, bytes | bytearray | memoryview):
        raise InputError(
            f"X must be {_COLLECTION}. Got {show(X)}. Decode it, and put the text into "
            "a list: [str(X, 'utf-8')]."
        )
    if isinstance(X, PathLike):
        raise InputError(
            f"X must be {_COLLECTION}. Got the path {str(X)!r}. Read the file first, "
            "for instance with pathlib.Path(X).read_text().splitlines()."
        )
    if sparse.issparse(X):
        raise InputError(
            "X must contain one text (str) per sample. Got a sparse matrix, which "
            "contains numbers. Pass the texts themselves, before any vectorizer."
        )
    if isinstance(X, Mapping):
        raise InputError(
            f"X must be {_COLLECTION}. Got a {type(X).__name__}. "
            f"{_remedy_for_mapping(X)}"
        )
    if isinstance(X, set | frozenset):
        raise InputError(
            f"X must be an ordered collection of texts. Got a {type(X).__name__}. "
            "Convert it to a list: sorted(X)."
        )
    if _is_frame(X):
        return X
    if isinstance(X, np.ndarray) and X.dtype.names:
        raise InputError(
            f"X must be {_COLLECTION}. Got a structured array with the fields "
            f"{show_each(X.dtype.names)}. Select the texts in it, for "
            f"instance X[{quote(X.dtype.names[0])}]."
        )
    # Iterating over a pyarrow array would yield pyarrow scalars.
    if hasattr(X, "to_pylist"):
        return X.to_pylist()
    if isinstance(X, np.matrix) or (
        hasattr(X, "__array__") and not isinstance(X, Iterable)
    ):
        X = np.asarray(X)
    if not isinstance(X, Iterable) or getattr(X, "ndim", 1) == 0:
        raise InputError(f"X must be {_COLLECTION}. Got {show(X)}. {_PASS_A_LIST}")
    return X


def _remedy_for_mapping(X: Mapping[Any, Any]) -> str:
    if not X:
        return f"It is empty. {_PASS_A_LIST}"
    if any(isinstance(value, str) for value in X.values()):
        return "Pass its values: list(X.values())."
    return (
        f"Its keys are {show_each(X)}. Select the texts in it, for instance "
        f"X[{quote(next(iter(X)))}]."
    )


def _is_frame(X: Any) -> bool:
    """Return whether X is a frame, a pyarrow table or a Hugging Face data set."""
    # The class is asked, since lazy frames warn when their columns are read.
    return hasattr(type(X), "columns") or _is_dataset(X)


def _is_dataset(X: Any) -> bool:
    names = getattr(X, "column_names", None)
    return isinstance(names, list) and hasattr(X, "__getitem__")


def _column_readers(X: Any) -> list[Callable[[], Iterable[Any]]]:
    """Return functions that read the columns, whose number is checked before that."""
    if hasattr(X, "iloc"):
        return [X.iloc[:, column].tolist for column in range(X.shape[1])]
    if hasattr(X, "get_columns"):
        return [column.to_list for column in X.get_columns()]
    if hasattr(X, "to_pylist"):
        return [column.to_pylist for column in X.columns]
    if _is_dataset(X):
        return [partial(getitem, X, name) for name in X.column_names]
    raise InputError(
        "X must be a list, array, Series, frame or table that is in memory. Got a "
        f"{type(X).__module__.split('.')[0]} {type(X).__name__}. Load it "
        "first: X.collect() in polars, X.compute() in Dask, X.toPandas() in Spark."
    )


def _names(X: Any) -> list[Any]:
    """Return the names of the columns of a frame, which may be too large to be read."""
    return list(X.column_names if hasattr(X, "column_names") else X.columns)


def check_different_names(X: Any) -> None:
    """Refuse a pair of columns with one name, which scikit-learn cannot remember."""
    names = _names(X) if _is_frame(X) else []
    if len(names) == 2 and names[0] == names[1]:
        raise InputError(
            "The columns of X must have different names. Got "
            f"{quote(names[0])} for both. Rename one of them, or pass the values: "
            "X.to_numpy()."
        )


def _remedy_for_columns(X: Any) -> str:
    """Name the columns of a frame."""
    names = _names(X)
    if not names:
        return "Got 0 columns. Pass a frame that contains the texts."
    return (
        f"Got {len(names)} columns: {show_each(names)}. Select the column with the "
        f"texts, for instance X[{quote(names[0])}] or with a ColumnTransformer."
    )


def _array_columns(X: np.ndarray, allows_pairs: bool) -> list[list[Any]]:
    if X.ndim > 2:
        raise InputError(
            f"X must have one or two dimensions. Got {X.ndim} dimensions "
            f"(shape={X.shape}). Pass one text or one pair of texts per row, an array "
            "of shape (n_samples,) or (n_samples, 2)."
        )
    if X.ndim == 1:
        return [X.tolist()]
    _check_n_columns(X.shape[1], len(X), allows_pairs)
    return [X[:, column].tolist() for column in range(X.shape[1])]


def _row_columns(rows: list[Any], allows_pairs: bool) -> list[list[Any]]:
    """Return the columns of a list of texts, or of lists of one or two texts."""
    if all(isinstance(row, str) for row in rows):
        return [rows]
    lists = [as_list(row) for row in rows]
    pairs = [pair for pair in lists if pair is not None]
    if not pairs:
        return [rows]
    # A missing pair is a pair of missing texts.
    width = len(pairs[0])
    lists = [
        [row] * width if pair is None and is_missing(row) else pair
        for row, pair in zip(rows, lists, strict=True)
    ]
    pairs = [pair for pair in lists if pair is not None]
    if len(pairs) < len(rows):
        is_pair = [pair is not None for pair in lists]
        row = is_pair.index(not is_pair[0])
        raise InputError(
            "X must contain a text in every row, or a pair of texts in every row. Got "
            f"{show(rows[0])} in {name_row(0)} and {show(rows[row])} in "
            f"{name_row(row)}. Pass only pairs, with '' for a missing text, or only "
            "texts."
        )
    _check_n_columns(max(map(len, pairs)), len(pairs), allows_pairs)
    widths = [len(pair) for pair in pairs]
    if len(set(widths)) > 1:
        row = next(i for i, width in enumerate(widths) if width != widths[0])
        raise InputError(
            f"X must have the same number of texts in every row. Got {widths[0]} in "
            f"{name_row(0)} and {widths[row]} in {name_row(row)}. Pass both "
            "texts of each pair; an empty text '' is allowed."
        )
    return [list(column) for column in zip(*pairs, strict=True)]


def _is_allowed(n_columns: int, allows_pairs: bool) -> bool:
    return n_columns == 1 or (n_columns == 2 and allows_pairs)


def _rule(allows_pairs: bool) -> str:
    if allows_pairs:
        return "X must have one column (texts) or two columns (pairs of texts)."
    return "X must have one column of texts."


def _check_n_columns(n_columns: int, n_rows: int, allows_pairs: bool) -> None:
    if _is_allowed(n_columns, allows_pairs):
        return
    remedy = (
        "Select the column with the texts, [row[0] for row in X] if it is the first, "
        "or join the columns into one text."
    )
    if n_columns == 0:
        remedy = "Pass a text in every row; an empty text '' is allowed."
    if n_columns > 2 and n_rows == 1:
        remedy = "If X is [texts], a list in a list, pass texts."
    if n_columns > 2 and n_rows == 2 and allows_pairs:
        remedy = "If X is [a, b], two lists of texts, pass the pairs: list(zip(a, b))."
    raise InputError(f"{_rule(allows_pairs)} Got {n_columns} columns. {remedy}")


def _shape(X: Any) -> tuple[int, ...]:
    return tuple(X.shape) if hasattr(X, "shape") else (0,)
