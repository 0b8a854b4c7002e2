"""Estimators on Spark, as functions of columns."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_bert._engine.runtime.rows import rows_counted_from
from sklearn_bert._results import METHODS, call, check_method
from sklearn_bert._sklearn_compat import StrOptions, validate_params
from sklearn_bert._warnings import Tally
from sklearn_bert.distributed._columns import read_columns
from sklearn_bert.distributed._engines import import_engine

_NAME = "spark_udf"


@validate_params(
    {
        "estimator": "no_validation",
        "method": [StrOptions(METHODS)],
        "return_type": "no_validation",
    },
    prefer_skip_nested_validation=True,
)
def spark_udf(estimator, method="transform", *, return_type=None):
    """Make a Spark function of a column of texts from an estimator.

    The function is an iterator pandas UDF. The estimator is broadcast, so that each
    executor receives it once, and each of its Python worker processes loads it once,
    for all partitions that the process computes. If a worker process or an executor
    dies, Spark repeats its tasks.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or a Pipeline with one: fitted, or without state
        such as :class:`~sklearn_bert.BertVectorizer`. It is pickled, with the weights
        of a fine-tuned encoder. The checkpoint of a vectorizer must be available on
        every executor.

    method : {"transform", "predict", "predict_proba", "predict_log_proba", \
            "decision_function"}, default="transform"
        The method to call.

    return_type : str or DataType, default=None
        The Spark type of the result, such as "array<float>". By default the method is
        called with a short text, in this process, which loads the encoder. Pass it if
        the encoder is only available on the executors, or if the estimator also reads
        columns that are not texts.

    Returns
    -------
    function : callable
        To be called with the names of columns: one column of texts, two for pairs, or
        those that the estimator was fitted to, in their order. Its result is a column:
        an array for each row, or a single value for methods that return one. Missing
        values follow the parameter `missing` of the estimator.

    Raises
    ------
    ImportError
        If PySpark is not installed.
    RuntimeError
        If there is no active Spark session, or it is one of Spark Connect.
    PythonException
        When the result is computed, if a row is not valid. The message names the
        partition and the row in it, both counted from 0.

    See Also
    --------
    dask_transform : The same on Dask.

    Examples
    --------
    >>> from sklearn_bert import BertVectorizer
    >>> from sklearn_bert.distributed import spark_udf
    >>> features = spark_udf(BertVectorizer())  # doctest: +SKIP
    >>> table.withColumn("features", features("text"))  # doctest: +SKIP
    DataFrame[id: bigint, text: string, features: array<float>]
    """
    functions = import_engine("pyspark.sql.functions", _NAME)
    pd = import_engine("pandas", _NAME)
    check_method(estimator, method)
    context = _find_context()
    if return_type is None:
        return_type = _find_type(estimator, method)
    shared = context.broadcast(_Pickled(estimator))

    def function(batches):
        yield from _call_on_partition(batches, shared.value, method)

    # They decide which kind of function it is.
    iterator: Any = Iterator
    of_series = iterator[pd.Series]
    function.__annotations__ = {"batches": of_series, "return": of_series}
    function.__name__ = f"{type(estimator).__name__}_{method}"
    return functions.pandas_udf(function, return_type)


def _find_context() -> Any:
    """Return the context of the active session, which broadcasts."""
    session = import_engine("pyspark.sql", _NAME).SparkSession.getActiveSession()
    is_remote = import_engine("pyspark.sql.utils", _NAME).is_remote()
    if session is None or is_remote:
        found = "one of Spark Connect" if is_remote else "no session"
        raise RuntimeError(
            f"{_NAME} needs an active Spark session, with which it broadcasts the "
            f"estimator. Got {found}. Start one: "
            "pyspark.sql.SparkSession.builder.getOrCreate()."
        )
    return session.sparkContext


class _Pickled:
    """An estimator that is pickled as Spark pickles functions, not by pickle.

    A Pipeline may contain functions and classes that only the driver can import.
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        cloudpickle = import_engine("pyspark.cloudpickle", _NAME)
        return cloudpickle.loads, (cloudpickle.dumps(self._estimator),)


def _find_type(estimator: Any, method: str) -> str:
    """Return the Spark type of the result of a method."""
    columns = [["text"]] * getattr(estimator, "n_features_in_", 1)
    try:
        # Warnings about this text say nothing about those of the user.
        with Tally().counting():
            result = call(estimator, method, read_columns(estimator, columns, _NAME))
    # Whatever the steps of a Pipeline raise.
    except Exception as error:
        error.add_note(
            "The method was called with a short text to find the type of its result. "
            f"Pass return_type to {_NAME} to avoid this."
        )
        raise
    return _name_type(np.asarray(result))


def _name_type(values: np.ndarray) -> str:
    # Tags of words.
    if isinstance(values[0], list):
        return f"array<{_name_type(np.asarray(values[0]))}>"
    kinds = {"b": "boolean", "i": "bigint", "u": "bigint", "f": "double"}
    name = kinds.get(values.dtype.kind, "string")
    if values.dtype == np.float32:
        name = "float"
    return f"array<{name}>" if values.ndim > 1 else name


def _call_on_partition(
    batches: Iterator[Any], estimator: Any, method: str
) -> Iterator[Any]:
    """Yield the results for the batches of a partition, in an executor."""
    pd = import_engine("pandas", _NAME)
    context = import_engine("pyspark", _NAME).TaskContext.get()
    _choose_gpu(context)
    tally = Tally()
    n_rows = 0
    for batch in batches:
        columns = batch if isinstance(batch, tuple) else (batch,)
        n_new = len(columns[0])
        place = f"partition {context.partitionId()}"
        with tally.counting(), rows_counted_from(n_rows, n_new, of=place):
            X = read_columns(estimator, columns, _NAME)
            values = np.asarray(call(estimator, method, X))
        n_rows += n_new
        # A Series has one dimension.
        yield pd.Series(list(values) if values.ndim > 1 else values)
    tally.warn()


def _choose_gpu(context: Any) -> None:
    """Let this process see only the GPU that Spark has assigned to its task."""
    assigned = context.resources().get("gpu")
    if assigned is not None:
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", ",".join(assigned.addresses))
