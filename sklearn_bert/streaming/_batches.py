"""Results for an iterable of texts or batches, one batch after the other."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from numbers import Integral
from os import PathLike
from typing import Any

from sklearn_bert._engine.runtime.rows import rows_counted_from
from sklearn_bert._inputs.values import show
from sklearn_bert._results import METHODS, check_method
from sklearn_bert._sklearn_compat import Interval, StrOptions, validate_params
from sklearn_bert._warnings import Tally
from sklearn_bert.exceptions import InputError
from sklearn_bert.streaming._tables import Method

BATCH_SIZE = 4096
CONSTRAINTS = {
    # Read below, since it may be a pipeline of anything.
    "estimator": "no_validation",
    "method": [StrOptions(METHODS)],
    "columns": [str, list, tuple, None],
    "keep": [list, tuple],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
}


@validate_params(
    {"X": "no_validation", **CONSTRAINTS}, prefer_skip_nested_validation=True
)
def transform_batches(
    estimator, X, *, method="transform", columns=None, keep=(), batch_size=BATCH_SIZE
):
    """Generate the results of an estimator for texts that need not fit into memory.

    Texts are read when their results are asked for, and neither texts nor results are
    held after that. The result of a text does not depend on the other texts, so that
    `batch_size` and the batches of `X` change nothing but speed and memory.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or a :class:`~sklearn.pipeline.Pipeline` or other
        meta-estimator that contains one, as ready for `method` as in a direct call.

    X : iterable
        Texts, such as the lines of a file; pairs of texts as tuples; or batches, such
        as lists, arrays, and tables of pyarrow, pandas or polars. It may be an
        iterator, a :class:`pyarrow.RecordBatchReader`, or a single table.

    method : {"transform", "predict", "predict_proba", "predict_log_proba", \
            "decision_function"}, default="transform"
        The method of `estimator` that is called.

    columns : str or list of str, default=None
        The column of the texts in tables, the two columns of pairs, or all columns that
        the estimator reads. Not needed if there is only one.

    keep : list of str, default=()
        Columns of tables that are put in front of the results, such as keys.

    batch_size : int, default=4096
        The most rows of a result. Single texts are collected up to this number; larger
        batches of `X` are divided, and smaller ones are not joined.

    Returns
    -------
    results : generator of ndarray or of pyarrow.RecordBatch
        What `method` returns for the next rows, in the order of `X`. For tables, a
        record batch of the columns `keep` and of one that is named like `method`, in
        which vectors are lists of fixed size with the dtype of the result, float32 by
        default. An empty batch of `X` has no result.

    Raises
    ------
    InputError
        If X does not contain texts. Rows are counted from the first one of X.

    Warns
    -----
    TruncationWarning
        Once, at the end, with the number of all texts that were truncated.

    See Also
    --------
    transform_parquet : From Parquet files to Parquet files, resumable.

    Examples
    --------
    >>> from sklearn_bert import BertVectorizer
    >>> from sklearn_bert.streaming import transform_batches
    >>> lines = (f"review number {k}" for k in range(5))
    >>> for features in transform_batches(BertVectorizer(), lines, batch_size=2):
    ...     print(features.shape)
    (2, 384)
    (2, 384)
    (1, 384)
    """
    chosen = choose_method(estimator, method, columns, keep)
    if isinstance(X, str | bytes | PathLike | Mapping | Set) or not (
        isinstance(X, Iterable) or _is_table(X)
    ):
        raise InputError(
            "X must be an iterable of texts, or of lists or tables of texts. Got "
            f"{show(X)}. Pass [text] for one text or an open file for its lines, or "
            "call transform_parquet for Parquet files."
        )
    return _results(chosen, X, batch_size)


def choose_method(
    estimator: Any, name: str, columns: Any, keep: Sequence[str]
) -> Method:
    """Return a method with the columns that it reads.

    Raises
    ------
    ValueError
        If the estimator does not have the method, or a name is used twice.
    """
    check_method(estimator, name)
    if name in keep or len(set(keep)) < len(keep):
        raise ValueError(
            f"keep must be different columns, without {name!r}, which is the name of "
            f"the results. Got {show(list(keep))}. Leave one out, or rename it before."
        )
    columns = (columns,) if isinstance(columns, str) else columns
    return Method(
        estimator, name, None if columns is None else tuple(columns), tuple(keep)
    )


def _results(method: Method, X: Any, batch_size: int) -> Iterator[Any]:
    row, tally = 0, Tally()
    try:
        for batch in _batches(X, batch_size):
            with tally.counting(), rows_counted_from(row, len(batch)):
                result = _call(method, batch)
            row += len(batch)
            yield result
    finally:
        tally.warn()


def _call(method: Method, batch: Any) -> Any:
    if _is_table(batch):
        return method.call_on_table(batch)
    if method.columns is not None or method.keep:
        raise InputError(
            "X must consist of tables if columns or keep are given. Got a "
            f"{type(batch).__name__}. Leave them out, or pass tables."
        )
    return method.call(batch)


def _batches(X: Any, size: int) -> Iterator[Any]:
    """Yield parts of X of at most so many rows, each a list or of the type in X."""
    if _is_batch(X) and not isinstance(X, list):
        yield from _divide(X, size)
        return
    rows: list[Any] = []
    for one in X:
        if _is_batch(one):
            if rows:
                yield rows
            rows = []
            yield from _divide(one, size)
        else:
            rows.append(one)
            if len(rows) == size:
                yield rows
                rows = []
    if rows:
        yield rows


def _is_table(X: Any) -> bool:
    return hasattr(type(X), "columns") and hasattr(X, "__len__")


def _is_batch(X: Any) -> bool:
    """Tell several rows from one: a str, a pair as a tuple, or anything else."""
    return (
        _is_table(X) or (hasattr(X, "__len__") and hasattr(X, "__getitem__"))
    ) and not isinstance(X, str | bytes | tuple | Mapping)


def _divide(batch: Any, size: int) -> Iterator[Any]:
    if isinstance(batch, deque):
        # It has no slices.
        batch = list(batch)
    for first in range(0, len(batch), size):
        # Those of pandas are sliced by position, those of pyarrow have a method.
        if hasattr(batch, "iloc"):
            yield batch.iloc[first : first + size]
        elif hasattr(batch, "slice"):
            yield batch.slice(first, size)
        else:
            yield batch[first : first + size]
