"""From a table to the input of a method, and from its result to a column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_bert._base import BaseBert
from sklearn_bert._config import quote
from sklearn_bert._inputs.values import show_each
from sklearn_bert._results import call
from sklearn_bert.exceptions import InputError
from sklearn_bert.streaming._pyarrow import import_pyarrow


@dataclass(frozen=True)
class Method:
    """A method of an estimator, and the columns that it reads and that are kept.

    Attributes
    ----------
    estimator : object
    name : str
        Such as "transform".
    columns : tuple of str or None
        None is the only column.
    keep : tuple of str
    """

    estimator: Any
    name: str
    columns: tuple[str, ...] | None
    keep: tuple[str, ...]

    def find_columns(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the columns that are read, of a table with these columns.

        Raises
        ------
        InputError
            If a column is missing, or none of several is chosen.
        """
        if self.columns is None and len(names) != 1:
            raise InputError(
                "columns must name the texts in a table of several columns. Got a "
                f"table with {show_each(names)}. Pass for instance "
                f"columns={quote(next(iter(names), 'text'))}."
            )
        columns = tuple(names) if self.columns is None else self.columns
        for name, value in (("columns", columns), ("keep", self.keep)):
            if missing := [one for one in value if one not in names]:
                raise InputError(
                    f"{name} must be columns of the table. Got {show_each(missing)}, "
                    f"and a table with {show_each(names)}. Correct the names."
                )
        return columns

    def call(self, X: Any) -> Any:
        """Return the result for texts."""
        return getattr(self.estimator, self.name)(X)

    def call_on_table(self, table: Any) -> Any:
        """Return the kept columns of a table, and the result as the last one.

        Parameters
        ----------
        table : table of pyarrow, pandas or polars

        Returns
        -------
        pyarrow.RecordBatch
        """
        pa = import_pyarrow()
        # Columns of pandas may contain what Arrow has no type for: only those that are
        # kept become columns of Arrow.
        if hasattr(table, "iloc"):
            columns = self.find_columns(list(table.columns))
            X = self._read_pandas(table[list(columns)])
            table = pa.Table.from_pandas(table[list(self.keep)], preserve_index=False)
        else:
            table = pa.table(table)
            columns = self.find_columns(table.column_names)
            X = self._read(table.select(columns))
        classes = getattr(self.estimator, "classes_", ())
        result = to_array(call(self.estimator, self.name, X), self.name, classes)
        kept = table.select(self.keep)
        arrays = [column.combine_chunks() for column in kept.columns]
        schema = pa.schema([*kept.schema, pa.field(self.name, result.type)])
        return pa.record_batch([*arrays, result], schema=schema)

    def _read(self, table: Any) -> Any:
        """Return X as the estimator was fitted to it: a list, or named columns."""
        if table.num_columns == 1 and not hasattr(self.estimator, "feature_names_in_"):
            return table.column(0).to_pylist()
        # scikit-learn selects the columns of frames only.
        return table if isinstance(self.estimator, BaseBert) else table.to_pandas()

    def _read_pandas(self, frame: Any) -> Any:
        """Do the same for a frame of pandas."""
        if frame.shape[1] == 1 and not hasattr(self.estimator, "feature_names_in_"):
            return frame.iloc[:, 0].tolist()
        return frame


def to_array(result: Any, method: str, classes: Any = ()) -> Any:
    """Return the result of a method as an Arrow array with one value per row.

    Parameters
    ----------
    result : ndarray or frame
        Vectors become lists of fixed size, with the dtype of the result.
    method : str
    classes : array-like
        Of the estimator, such as the tags, if there are any.

    Raises
    ------
    TypeError
        If there is not one number, label, vector or list of tags for each row.
    """
    pa = import_pyarrow()
    if all(isinstance(row, list) for row in result):
        # If all sentences are empty, only the tags of others have a type.
        return pa.array([np.asarray(classes).tolist(), *result])[1:]
    if isinstance(result, list) and isinstance(result[0], np.ndarray):
        # Of several outputs, or of the words of each sentence.
        raise _refusal(method, "a list of arrays")
    values = np.asarray(result)
    if values.ndim == 1:
        return pa.array(values if values.dtype.kind in "biufU" else values.tolist())
    if values.ndim == 2 and values.dtype.kind in "biuf":
        numbers = pa.array(np.ascontiguousarray(values).ravel())
        return pa.FixedSizeListArray.from_arrays(numbers, values.shape[1])
    kind = f"a {type(result).__name__} of shape {values.shape}"
    raise _refusal(method, f"{kind} and dtype {values.dtype}")


def _refusal(method: str, found: str) -> TypeError:
    return TypeError(
        f"The result of {method} must be one number, label or vector for each row. Got "
        f"{found}. Choose another method."
    )
