"""Estimators on Dask, which calls them once for each partition."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from typing import Any

import torch

from sklearn_bert._engine.runtime.rows import rows_counted_from
from sklearn_bert._results import METHODS, check_method
from sklearn_bert._sklearn_compat import StrOptions, validate_params
from sklearn_bert.distributed._engines import import_engine, name_type
from sklearn_bert.distributed._output import call_as_table, empty_table

_NAME = "dask_transform"


@validate_params(
    {
        "estimator": "no_validation",
        # Named in an error of its own, which says what to do with other tables.
        "X": "no_validation",
        "method": [StrOptions(METHODS)],
        "meta": "no_validation",
    },
    prefer_skip_nested_validation=True,
)
def dask_transform(estimator, X, method="transform", *, meta=None):
    """Apply an estimator to a Dask column of texts, one partition at a time.

    Nothing is computed until the result is. Each worker process receives the estimator
    once and loads its encoder once. If a worker dies, Dask repeats its partitions on
    the others.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or a Pipeline with one: fitted, or without state
        such as :class:`~sklearn_bert.BertVectorizer`. Its checkpoint must be available
        on every worker.

    X : dask Series or DataFrame
        What `method` accepts: a column of texts, or two columns for pairs. Missing
        values follow the parameter `missing` of the estimator.

    method : {"transform", "predict", "predict_proba", "predict_log_proba", \
            "decision_function"}, default="transform"
        The method to call.

    meta : pandas Series or DataFrame, default=None
        An empty table with the columns of the result. By default the method is called
        with a short text, in this process, which loads the encoder. Pass it if the
        encoder or its device is only available on the workers, or if X contains lists
        of words.

    Returns
    -------
    dask Series or DataFrame
        The result in the order and with the index of X. Columns have the names of the
        features or classes. It is a Series if there is one value for each row.

    Raises
    ------
    ImportError
        If Dask is not installed.
    TypeError
        If X is not a Dask Series or DataFrame.
    InputError
        When the result is computed, if a row of X is not valid. The message names the
        partition and the row in it, both counted from 0.

    See Also
    --------
    sklearn_bert.BertVectorizer : Turns texts into features.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> from sklearn_bert import BertVectorizer
    >>> from sklearn_bert.distributed import dask_transform
    >>> texts = pd.Series(["a joy to watch", "utterly dull", "charming", "a mess"])
    >>> column = dd.from_pandas(texts, npartitions=2)
    >>> dask_transform(BertVectorizer(), column).compute().shape
    (4, 384)
    """
    dask = import_engine("dask", _NAME)
    frames = import_engine("dask.dataframe", _NAME)
    if not isinstance(X, frames.Series | frames.DataFrame):
        raise TypeError(
            f"X must be a Dask Series or DataFrame. Got {name_type(X)}. Call the "
            "estimator itself, or convert X with dask.dataframe.from_pandas."
        )
    check_method(estimator, method)
    if meta is None:
        like_X = import_engine("dask.dataframe.utils", _NAME).meta_nonempty(X._meta)
        # Its second text may be missing.
        meta = empty_table(estimator, method, like_X.iloc[:1])
    # A task of its own, whose result each worker fetches once for all partitions.
    shared = dask.delayed(estimator, traverse=False)
    return X.map_partitions(_call, shared, method, meta=meta)


def _call(
    partition: Any,
    estimator: Any,
    method: str,
    partition_info: Any = None,
) -> Any:
    """Return the result for one partition; Dask fills in ``partition_info``."""
    if not len(partition):
        # Dask replaces what is empty by meta.
        return partition
    number = partition_info["number"]
    with (
        _sharing_cores(),
        rows_counted_from(0, len(partition), of=f"partition {number}"),
    ):
        return call_as_table(estimator, method, partition)


@contextmanager
def _sharing_cores() -> Iterator[None]:
    """Limit the threads of torch to a share of the cores for each task of a process.

    A worker with a nanny has one thread for each task already.
    """
    n_threads = torch.get_num_threads()
    cpu_count = import_engine("dask.system", _NAME).CPU_COUNT
    torch.set_num_threads(max(1, min(n_threads, cpu_count // _count_tasks(cpu_count))))
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def _count_tasks(cpu_count: int) -> int:
    """Return how many tasks may run at a time, in this process or next to it."""
    try:
        return import_engine("dask.distributed", _NAME).get_worker().state.nthreads
    except (ImportError, ValueError):
        # Schedulers without workers use all cores, except for the one that computes in
        # the main thread.
        is_main = threading.current_thread() is threading.main_thread()
        return 1 if is_main and parent_process() is None else cpu_count
