"""Conversion between token ids and arrays, and token counts and sparse matrices."""

from collections.abc import Collection, Sequence
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_array

from sklearn_bert._config import quote
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._inputs.columns import as_list
from sklearn_bert._inputs.values import call_hiding_values, show
from sklearn_bert.exceptions import InputError

# The blocks of columns, in order.
BLOCKS = ("id", "mask", "segment")


def pad_tokens(
    sequences: TokenSequences, blocks: Sequence[str], length: int, padding: int
) -> np.ndarray:
    """Pad sequences to the rows of an array.

    Parameters
    ----------
    sequences : TokenSequences
        One sequence of at most ``length`` tokens for each text.
    blocks : sequence of str
        Some of :data:`BLOCKS`.
    length : int
        Number of columns of each block.
    padding : int
        The padding id.

    Returns
    -------
    ndarray of shape (n_texts, n_blocks * length), int64
    """
    shape = (len(sequences.ids), length)
    columns = {"id": np.full(shape, padding, dtype=np.int64)}
    for name in ("mask", "segment"):
        columns[name] = np.zeros(shape, dtype=np.int64)
    for row, ids in enumerate(sequences.ids):
        columns["id"][row, : len(ids)] = ids
        columns["mask"][row, : len(ids)] = 1
        if sequences.second_starts is not None:
            columns["segment"][row, sequences.second_starts[row] : len(ids)] = 1
    return np.hstack([columns[name] for name in blocks])


def read_ids(X: Any, n_blocks: int, length: int, highest: int) -> np.ndarray:
    """Return the first block of the output of :func:`pad_tokens`.

    Parameters
    ----------
    X : array-like of shape (n_texts, n_blocks * length)
    n_blocks, length : int
    highest : int
        The largest valid id.

    Returns
    -------
    ndarray of shape (n_texts, length), int64

    Raises
    ------
    InputError
        If X is not an array of two dimensions, has a different number of columns, or
        values that are not ids.
    """
    n_columns = n_blocks * length
    _check_two_dimensions(X, n_columns)
    array = call_hiding_values(check_array, X, dtype=None, ensure_min_features=0)
    _check_n_columns(array, n_columns)
    ids = array[:, :length]
    if not (ids.dtype == bool or np.issubdtype(ids.dtype, np.number)):
        ids = _to_numbers(ids)
    is_id = np.equal(np.mod(ids, 1), 0) & (ids >= 0) & (ids <= highest)
    if not is_id.all():
        row, column = np.argwhere(~is_id)[0]
        raise InputError(
            f"X must contain token ids, integers from 0 to {highest}. Got "
            f"{quote(ids[row, column].item())} in row {row}. "
            "Pass the output of transform."
        )
    return ids.astype(np.int64)


def _to_numbers(values: np.ndarray) -> np.ndarray:
    """Convert objects to numbers; raise an error for other values."""
    for (row, column), value in np.ndenumerate(values):
        if not isinstance(value, Real):
            raise InputError(
                f"X must contain token ids, which are numbers. Got {show(value)} "
                f"in row {row}, column {column}. Pass the "
                "output of transform."
            )
    return values.astype(np.float64)


def count_tokens(
    sequences: TokenSequences, controls: Collection[int], n_columns: int
) -> sparse.csr_matrix:
    """Count the tokens without control tokens: (n_texts, n_columns), int64."""
    rows = [np.array(ids, dtype=np.int64) for ids in sequences.ids]
    rows = [ids[~np.isin(ids, list(controls))] for ids in rows]
    columns = np.concatenate(rows)
    starts = np.cumsum([0, *map(len, rows)])
    counts = sparse.csr_matrix(
        (np.ones(len(columns), dtype=np.int64), columns, starts),
        shape=(len(rows), n_columns),
    )
    counts.sum_duplicates()
    return counts


def name_columns(vocabulary: dict[str, int], n_columns: int) -> np.ndarray:
    """Return the token of each id, and a placeholder for unused ids."""
    names = np.array([f"unused{k}" for k in range(n_columns)], dtype=object)
    names[list(vocabulary.values())] = list(vocabulary)
    return names


def read_counts(X: Any, names: np.ndarray) -> list[np.ndarray]:
    """Return the names of the nonzero columns of each row.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_texts, n_columns)
    names : ndarray of shape (n_columns,)

    Returns
    -------
    list of n_texts ndarray

    Raises
    ------
    InputError
        If X is not an array of two dimensions, or has a different number of columns.
    """
    _check_two_dimensions(X, len(names))
    counts = sparse.csr_matrix(
        call_hiding_values(check_array, X, accept_sparse="csr", ensure_min_samples=0)
    )
    _check_n_columns(counts, len(names))
    return [names[counts[row].nonzero()[1]] for row in range(counts.shape[0])]


def _check_two_dimensions(X: Any, n_columns: int) -> None:
    """Raise an error if X is not an array, a matrix, a frame or a list of rows."""
    shape = getattr(X, "shape", None)
    if not isinstance(shape, tuple):
        shape = None
    if shape is None and isinstance(X, list | tuple) and X:
        rows = [as_list(row) for row in X]
        widths = {len(row) for row in rows if row is not None}
        if None not in rows and len(widths) == 1:
            return
        shape = (len(X),) if rows == [None] * len(X) else None
    if shape is not None and len(shape) == 2 and shape[1] > 0:
        return
    is_array = isinstance(getattr(X, "shape", None), tuple)
    got = f"the shape {tuple(X.shape)}" if is_array else show(X)
    remedy = "Pass the output of transform."
    if shape is not None and len(shape) == 1:
        remedy = "Pass the output of transform, or [X] if X is one row of it."
    raise InputError(
        f"X must be an array of shape (n_samples, {n_columns}), as the output of "
        f"transform. Got {got}. {remedy}"
    )


def _check_n_columns(X: np.ndarray | sparse.csr_matrix, n_columns: int) -> None:
    if X.shape[1] != n_columns:
        raise InputError(
            f"X must have {n_columns} columns, as the output of transform. Got "
            f"{X.shape[1]}. Pass all columns."
        )
