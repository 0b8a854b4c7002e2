"""Estimators on Ray Data, as actors that are called with batches."""

from typing import Any

from sklearn_bert._config import quote, shows_values
from sklearn_bert._engine.runtime.rows import rows_counted_from
from sklearn_bert._results import METHODS, call, check_method
from sklearn_bert._sklearn_compat import StrOptions, validate_params
from sklearn_bert._warnings import Tally
from sklearn_bert.distributed._columns import read_columns
from sklearn_bert.distributed._engines import import_engine, name_type
from sklearn_bert.streaming._tables import to_array

_NAME = "ray_transform"
_N_CHARACTERS_SHOWN = 80


@validate_params(
    {
        "estimator": "no_validation",
        "dataset": "no_validation",
        "column": [str, list],
        "method": [StrOptions(METHODS)],
        # Checked by Ray.
        "batch_size": "no_validation",
        "options": "no_validation",
    },
    prefer_skip_nested_validation=True,
)
def ray_transform(
    estimator, dataset, column, method="transform", *, batch_size=1024, **options
):
    """Apply an estimator to a column of texts of a Ray Dataset, in actors.

    Nothing is computed until the result is. The estimator is put into the object store
    once, and each actor loads its encoder once. If an actor or a node dies, Ray
    restarts the actor and repeats its batches.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or a Pipeline with one: fitted, or without state
        such as :class:`~sklearn_bert.BertVectorizer`. It is pickled, with the weights
        of a fine-tuned encoder. The checkpoint of a vectorizer must be available on
        every node.

    dataset : ray.data.Dataset
        The rows. The order of the result is only that of the rows if
        ``DataContext.get_current().execution_options.preserve_order`` is `True`.

    column : str or list of str
        The column of texts, or two columns for pairs, or the columns that the estimator
        was fitted to, in their order. Missing values follow the parameter `missing` of
        the estimator.

    method : {"transform", "predict", "predict_proba", "predict_log_proba", \
            "decision_function"}, default="transform"
        The method to call.

    batch_size : int, default=1024
        Number of rows in a call of the method. The estimator sorts the texts of a call
        by length and divides them into batches of its own, of a similar number of
        tokens: its parameter `batch_size` is another one. More rows per call leave less
        padding, fewer rows are repeated if an actor dies.

    **options : dict
        Options of :meth:`ray.data.Dataset.map_batches`, such as
        ``compute=ray.data.ActorPoolStrategy(size=4)`` for four actors, ``num_gpus=1``
        for a GPU of its own, or ``num_cpus=8`` for as many threads. Without `num_gpus`,
        actors use no GPU.

    Returns
    -------
    result : ray.data.Dataset
        The columns of the dataset and, behind them, the result in a column with the
        name of the method: a list of fixed size for each row, or a single value for
        methods that return one.

    Raises
    ------
    ImportError
        If Ray Data is not installed.
    TypeError
        If `dataset` is not a Ray Dataset.
    RayTaskError
        When the result is computed, if a row is not valid, or a column has the name of
        the method already. The message names the first row of the batch and the row in
        it, counted from 0.

    See Also
    --------
    dask_transform : The same on Dask.
    spark_udf : The same on Spark.

    Examples
    --------
    >>> import ray  # doctest: +SKIP
    >>> from sklearn_bert import BertVectorizer
    >>> from sklearn_bert.distributed import ray_transform
    >>> dataset = ray.data.read_parquet("texts")  # doctest: +SKIP
    >>> result = ray_transform(BertVectorizer(), dataset, "text")  # doctest: +SKIP
    >>> result.write_parquet("features")  # doctest: +SKIP
    """
    ray = import_engine("ray", _NAME)
    if not isinstance(dataset, import_engine("ray.data", _NAME).Dataset):
        raise TypeError(
            f"dataset must be a Ray Dataset. Got {name_type(dataset)}. Call the "
            "estimator itself, or convert the data, for instance with "
            "ray.data.from_pandas."
        )
    check_method(estimator, method)
    columns = [column] if isinstance(column, str) else column
    return dataset.map_batches(
        _EstimatorActor,
        fn_constructor_args=(ray.put(estimator), columns, method),
        batch_size=batch_size,
        batch_format="pyarrow",
        udf_modifying_row_count=False,
        **options,
    )


class _EstimatorActor:
    """Adds the result of a method to pyarrow tables.

    Parameters
    ----------
    estimator : ObjectRef
    columns : list of str
    method : str
    """

    def __init__(self, estimator: Any, columns: list[str], method: str) -> None:
        self._tally = Tally()
        self._n_batches = 0
        self._estimator = import_engine("ray", _NAME).get(estimator)
        self._columns, self._method = columns, method

    def __call__(self, table: Any) -> Any:
        if self._method in table.column_names:
            raise ValueError(
                f"{_NAME} adds a column with the name of the method. Got a dataset "
                f"that has a column {self._method!r}. Rename it: "
                "dataset.rename_columns({...})."
            )
        columns = [table.column(name).to_pylist() for name in self._columns]
        X = read_columns(self._estimator, columns, _NAME)
        place = self._name_batch(table)
        with self._tally.counting(), rows_counted_from(0, len(X), of=place):
            result = call(self._estimator, self._method, X)
        classes = getattr(self._estimator, "classes_", ())
        column = to_array(result, self._method, classes)
        return table.append_column(self._method, column)

    def _name_batch(self, table: Any) -> str:
        """Return what finds a batch in the data, where batches have no numbers."""
        number, self._n_batches = self._n_batches, self._n_batches + 1
        (first,) = table.drop_columns([*set(self._columns)]).slice(0, 1).to_pylist()
        if not first or not shows_values():
            return f"batch {number} of an actor"
        return f"the batch that begins with {quote(first)[:_N_CHARACTERS_SHOWN]}"

    def __del__(self) -> None:
        # Ray deletes it when there are no more batches.
        self._tally.warn()
