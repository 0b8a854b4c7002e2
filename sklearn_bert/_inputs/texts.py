"""What estimators accept as texts, and what errors say about the rest."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import InputError, TextRepairWarning

# How many bad rows an error shows.
N_SHOWN = 3
_N_CHARACTERS_SHOWN = 40
_SURROGATES = range(0xD800, 0xE000)


def check_texts(X: Any) -> Texts:
    """Read X as texts or as pairs of texts, by position.

    Parameters
    ----------
    X : list, tuple, array, Series, frame or iterable
        One column of str, or two.

    Returns
    -------
    Texts

    Raises
    ------
    InputError
        If X is not one or two columns of str with at least one row.
    """
    columns = [list(column) for column in _columns(X)]
    check_not_empty(columns and columns[0], X)
    _check_all_str(columns)
    return Texts(*(repair(column) for column in columns))


def check_callbacks(callbacks: Any) -> None:
    """Refuse what cannot be called, before the first epoch and not after it."""
    for place, callback in enumerate(() if callbacks is None else callbacks):
        if not callable(callback):
            raise TypeError(
                "callbacks must hold only functions of a training state. Got "
                f"{show(callback)} in place {place}. Give functions, such as print."
            )


def check_not_empty(rows: Sequence[Any], X: Any) -> None:
    """Refuse an X without samples."""
    if not rows:
        raise InputError(
            f"Found array with 0 sample(s) (shape={_shape(X)}) while a minimum of 1 is "
            "required. Give at least one text."
        )


def rows_of(X: Any) -> list[Any]:
    """Return the rows of a collection, or the only column of a frame or an array."""
    X = _collection(X)
    if isinstance(X, np.ndarray) and X.shape[1:] == (1,):
        return X[:, 0].tolist()
    if not hasattr(X, "columns"):
        return list(X)
    columns = _frame_columns(X)
    if len(columns) > 1:
        raise InputError(
            f"X must have one column of sentences. Got {len(columns)} columns. Select "
            "the column, for instance with a ColumnTransformer."
        )
    return list(columns[0])


def _columns(X: Any) -> list[Sequence[Any]]:
    """Return X as one or two columns of values, whatever these are."""
    X = _collection(X)
    if hasattr(X, "columns"):
        return _frame_columns(X)
    if isinstance(X, np.ndarray):
        return _array_columns(X)
    return _row_columns(list(X))


def _collection(X: Any) -> Any:
    """Return X as a collection; refuse what has no samples in an order."""
    if isinstance(X, str | bytes):
        raise InputError(
            "Iterable over raw text documents expected, string object received. Put "
            "the text into a list: [text]."
        )
    if sparse.issparse(X):
        raise InputError(
            "X must hold one text (str) per sample. Got a sparse matrix, which holds "
            "numbers. Give the texts themselves, before any vectorizer."
        )
    if hasattr(X, "columns"):
        return X
    if isinstance(X, np.matrix) or (
        hasattr(X, "__array__") and not isinstance(X, Iterable)
    ):
        X = np.asarray(X)
    if isinstance(X, Mapping | set | frozenset):
        raise InputError(
            "X must be an ordered collection of texts. Got a "
            f"{type(X).__name__}, whose order is no part of it. Give a list."
        )
    if not isinstance(X, Iterable) or getattr(X, "ndim", 1) == 0:
        raise InputError(
            "X must be a list, array, Series or frame of texts (str). Got "
            f"{show(X)}. Give a list with one text per sample: ['a text', ...]."
        )
    return X


def _frame_columns(X: Any) -> list[Sequence[Any]]:
    if hasattr(X, "iloc"):
        _check_n_columns(X.shape[1])
        return [X.iloc[:, column].tolist() for column in range(X.shape[1])]
    if hasattr(X, "get_column"):
        _check_n_columns(X.shape[1])
        return [X.get_column(name).to_list() for name in X.columns]
    raise InputError(
        "X must be a list, array, Series, or frame of pandas or polars. Got a "
        f"{type(X).__module__.split('.')[0]} {type(X).__name__}. Collect it first, or "
        "turn it into a pandas frame: X.to_pandas()."
    )


def _array_columns(X: np.ndarray) -> list[Sequence[Any]]:
    if X.ndim == 1:
        # An object array may hold pairs, as a list does.
        return _row_columns(X.tolist()) if X.dtype == object else [X.tolist()]
    if X.ndim > 2:
        raise InputError(
            f"X must have one or two dimensions. Got {X.ndim} dimensions "
            f"(shape={X.shape}). Give one row per sample."
        )
    _check_n_columns(X.shape[1])
    return [X[:, column].tolist() for column in range(X.shape[1])]


def _row_columns(rows: list[Any]) -> list[Sequence[Any]]:
    """Return the columns of a list of texts, or of lists of one or two texts."""
    is_nested = [isinstance(row, list | tuple | np.ndarray) for row in rows]
    if not any(is_nested):
        return [rows]
    if not all(is_nested):
        row = is_nested.index(not is_nested[0])
        raise InputError(
            "X must hold a text in every row, or a pair of texts in every row. Got "
            f"{show(rows[0])} in row 0 and {show(rows[row])} in row {row}. Make all "
            "rows alike."
        )
    widths = [len(row) for row in rows]
    if len(set(widths)) > 1:
        row = next(i for i, width in enumerate(widths) if width != widths[0])
        raise InputError(
            f"X must have the same number of texts in every row. Got {widths[0]} in "
            f"row 0 and {widths[row]} in row {row}. Give each pair both of its halves; "
            "an empty text '' is allowed."
        )
    _check_n_columns(widths[0])
    return [list(column) for column in zip(*rows, strict=True)]


def _check_n_columns(n_columns: int) -> None:
    if n_columns not in (1, 2):
        raise InputError(
            "X must have one column (texts) or two columns (pairs of texts). Got "
            f"{n_columns} columns. Select the text column, for instance with a "
            "ColumnTransformer, or join the columns into one text."
        )


def _check_all_str(columns: list[list[Any]]) -> None:
    bad = [
        (row, value)
        for row, values in enumerate(zip(*columns, strict=True))
        for value in values
        if not isinstance(value, str)
    ]
    if not bad:
        return
    shown = ", ".join(f"{show(value)} in row {row}" for row, value in bad[:N_SHOWN])
    if len(bad) > N_SHOWN:
        shown += ", ..."
    n_rows = len({row for row, _ in bad})
    raise InputError(
        f"X must hold only texts (str). Got {shown}: {n_rows} of {len(columns[0])} "
        f"rows have values that are not texts. {remedy([value for _, value in bad])}"
    )


_FOR_NUMBERS = (
    "Select the text column, or turn numbers into texts if that is meant: "
    "X.astype(str), or [str(x) for x in X]."
)


def remedy(values: list[Any], of_numbers: str = _FOR_NUMBERS) -> str:
    """Say what to do about values that should be texts."""
    if any(is_missing(value) for value in values):
        return (
            "Drop these rows, or replace missing values by '': X.fillna('') in pandas, "
            "X.fill_null('') in polars."
        )
    if any(isinstance(value, complex) for value in values):
        return "Complex data not supported. Turn these values into texts."
    if any(isinstance(value, bytes) for value in values):
        return "Decode bytes first: value.decode('utf-8')."
    if any(isinstance(value, Number) for value in values):
        return of_numbers
    return "Turn these values into texts, or drop the rows."


def is_missing(value: Any) -> bool:
    """Tell None, NaN and the like."""
    # NaN and NaT differ from themselves; pandas' NA is known by its name alone, so
    # that pandas stays optional.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def show(value: Any) -> str:
    """Return a value for an error message, with its type."""
    text = repr(value)
    if len(text) > _N_CHARACTERS_SHOWN:
        text = text[:_N_CHARACTERS_SHOWN] + "..."
    return f"{text} ({type(value).__name__})"


def _shape(X: Any) -> tuple[int, ...]:
    return tuple(X.shape) if hasattr(X, "shape") else (0,)


def repair(column: list[str], what: str = "texts") -> list[str]:
    """Return plain str without lone surrogates, which are no characters."""
    repaired = [without_surrogates(text) for text in column]
    n_repaired = sum(old != new for old, new in zip(column, repaired, strict=True))
    if n_repaired:
        warn_of_repair(n_repaired, len(column), what)
    return repaired


def warn_of_repair(n_repaired: int, n_all: int, what: str = "texts") -> None:
    """Say that something was replaced which is no text."""
    warn_user(
        f"{n_repaired} of {n_all} {what} held lone surrogates, which are no characters "
        "and were replaced by U+FFFD. Files read with errors='surrogateescape' have "
        "them; read them with their true encoding.",
        TextRepairWarning,
    )


def without_surrogates(text: str) -> str:
    """Return a plain str in which U+FFFD stands for lone surrogates."""
    # numpy's str_ is a str that the tokenizers do not take for one.
    text = str(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if ord(c) in _SURROGATES else c for c in text)
    return text
