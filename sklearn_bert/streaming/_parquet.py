"""From Parquet files to Parquet files, in constant memory and resumable."""

import os
from collections.abc import Iterator
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any

from sklearn_bert._engine.runtime.progress import progress_bar
from sklearn_bert._engine.runtime.rows import rows_counted_from
from sklearn_bert._sklearn_compat import Interval, validate_params
from sklearn_bert._warnings import Tally
from sklearn_bert.streaming._batches import BATCH_SIZE, CONSTRAINTS, choose_method
from sklearn_bert.streaming._fingerprint import fingerprint
from sklearn_bert.streaming._source import ParquetSource, Reader
from sklearn_bert.streaming._tables import Method
from sklearn_bert.streaming._target import ParquetTarget


@validate_params(
    {
        "source": [str, PathLike],
        "target": [str, PathLike],
        "rows_per_file": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
        **CONSTRAINTS,
    },
    prefer_skip_nested_validation=True,
)
def transform_parquet(
    estimator,
    source,
    target,
    *,
    method="transform",
    columns=None,
    keep=(),
    batch_size=BATCH_SIZE,
    rows_per_file=65536,
    verbose=0,
):
    """Write the results of an estimator for Parquet files to Parquet files.

    The same call resumes after an error, Ctrl-C or a kill, and returns at once if
    everything is written. Each file of `target` is written under another name,
    synchronized to the disk, and then renamed, so that it is there as a whole or not at
    all. In the end `target` has the rows of `source` in order, each once.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or a :class:`~sklearn.pipeline.Pipeline` or other
        meta-estimator that contains one, as ready for `method` as in a direct call.

    source : str or path
        A Parquet file, or a folder, of which the files named `*.parquet` are read in
        the order of their names.

    target : str or path
        A folder, which is created. Its files are named `part-00000.parquet` and so on.
        It contains nothing else, so that pyarrow, pandas, polars and others read the
        folder as one table, with the rows in order.

    method : {"transform", "predict", "predict_proba", "predict_log_proba", \
            "decision_function"}, default="transform"
        The method of `estimator` that is called.

    columns : str or list of str, default=None
        The column of the texts, the two columns of pairs, or all columns that the
        estimator reads. Not needed if there is only one.

    keep : list of str, default=()
        Columns that are copied to `target`, such as keys.

    batch_size : int, default=4096
        Rows that are read, given to `estimator` and written at once. The results do not
        depend on it.

    rows_per_file : int, default=65536
        Rows in each file of `target`. What a kill loses is at most one file.

    verbose : int, default=0
        If positive, show the progress.

    Raises
    ------
    InputError
        If `source` cannot be read, has no such columns, or contains rows that are not
        texts. The message names the file and the number of the row in it.
    ResumeError
        If `target` has files of another call: with another source, method or columns,
        another `rows_per_file`, or another estimator. Its parameters `batch_size`,
        `cache`, `device`, `n_jobs` and `verbose` may differ. Also if another process is
        writing to it, which is not noticed on Windows.
    OSError
        If the disk is full. The files that are written remain.

    Warns
    -----
    TruncationWarning
        Once, at the end, with the number of texts that were truncated in this call.

    See Also
    --------
    transform_batches : Yields the results for any iterable.

    Notes
    -----
    The last column is named like `method`. Vectors are lists of fixed size, with the
    dtype of the result, float32 by default.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pyarrow as pa, pyarrow.parquet as pq
    >>> from sklearn_bert import BertVectorizer
    >>> from sklearn_bert.streaming import transform_parquet
    >>> reviews = pa.table({"id": [7, 8], "text": ["a joy to watch", "a mess"]})
    >>> with TemporaryDirectory() as folder:
    ...     source, target = Path(folder, "reviews.parquet"), Path(folder, "features")
    ...     pq.write_table(reviews, source)
    ...     transform_parquet(
    ...         BertVectorizer(), source, target, columns="text", keep=["id"]
    ...     )
    ...     table = pq.read_table(target)
    >>> table.column_names
    ['id', 'transform']
    >>> len(table["transform"][0])
    384
    """
    chosen = choose_method(estimator, method, columns, keep)
    rows = ParquetSource(Path(source).expanduser())
    columns = chosen.find_columns(rows.names)
    identity = {
        "estimator": fingerprint(estimator),
        "source": rows.digest(),
        "method": method,
        "columns": list(columns),
        "keep": list(keep),
        "rows_per_file": rows_per_file,
    }
    # A link remains, and the folder that it names is filled.
    folder = Path(os.path.realpath(Path(target).expanduser()))
    files = ParquetTarget(folder, rows.n_rows, rows_per_file, identity)
    reader = Reader(rows, list(dict.fromkeys([*columns, *keep])), batch_size)
    with files.opened():
        _fill(files, reader, chosen, rows.n_rows, verbose)


def _fill(
    files: ParquetTarget, reader: Reader, method: Method, n_rows: int, verbose: int
) -> None:
    """Write all files that are missing."""
    tally, missing = Tally(), list(files.missing())
    bar = progress_bar(
        "transform_parquet" if verbose > 0 else None,
        total=n_rows,
        initial=n_rows - sum(map(len, missing)),
        unit="row",
    )
    with bar:
        try:
            for rows in missing:
                files.write(rows, _results(reader, rows, method, tally, bar))
        finally:
            tally.warn()


def _results(
    reader: Reader, rows: range, method: Method, tally: Tally, bar: Any
) -> Iterator[Any]:
    for one in reader.read(rows.start, rows.stop):
        n_rows = one.table.num_rows
        with tally.counting(), rows_counted_from(one.first, n_rows, one.file):
            result = method.call_on_table(one.table)
        yield result
        bar.update(n_rows)
