"""The rows of Parquet files, read in order and a few at a time."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from sklearn_bert.exceptions import InputError
from sklearn_bert.streaming._pyarrow import import_pyarrow

# Without a buffer, the texts of a whole row group would be read at once.
_BUFFER_BYTES = 2**20


@dataclass(frozen=True)
class Rows:
    """Successive rows of one file.

    Attributes
    ----------
    file : str
        Name of the file.
    first : int
        Number of the first row in its file.
    table : pyarrow.Table
    """

    file: str
    first: int
    table: Any


class ParquetSource:
    """A Parquet file, or all those in a folder, in the order of their names.

    Parameters
    ----------
    path : pathlib.Path

    Attributes
    ----------
    names : list of str
        Of the columns.
    n_rows : int

    Raises
    ------
    InputError
        If there are no rows, a file cannot be read, or its columns are not those of
        the first file.
    """

    def __init__(self, path: Path) -> None:
        self._files = _find_files(path)
        schemas, counts = zip(*map(_describe, self._files), strict=True)
        for file, schema in zip(self._files, schemas, strict=True):
            if not schema.equals(schemas[0]):
                raise InputError(
                    "The files of source must have the same columns. Got "
                    f"{self._files[0].name} and {file.name}, whose columns differ. "
                    "Convert one of them, or call transform_parquet for each."
                )
        self.names: list[str] = schemas[0].names
        # The first row of each file, and the number of all rows.
        self._starts = [0, *accumulate(counts)]
        self.n_rows: int = self._starts[-1]
        if not self.n_rows:
            raise InputError(
                f"source must contain at least one row. Got {str(path)!r}, which has "
                "none. Pass another file or folder."
            )

    def digest(self) -> str:
        """Return a checksum of the names and contents of the files."""
        whole = hashlib.sha256()
        for path in self._files:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{path.name}\0{digest}\0".encode())
        return whole.hexdigest()

    def locate(self, row: int) -> tuple[Path, int, int]:
        """Return the file of a row, its number in the file, and how many follow it.

        The rows that follow include the row itself.
        """
        # Of several files that start here, all but the last are empty.
        k = bisect_right(self._starts, row) - 1
        return self._files[k], row - self._starts[k], self._starts[k + 1] - row


class Reader:
    """Reads rows from any number on; rows that follow the last ones are read on.

    Parameters
    ----------
    source : ParquetSource
    columns : list of str
    size : int
        The most rows that are read at once.
    """

    def __init__(self, source: ParquetSource, columns: list[str], size: int) -> None:
        self._source, self._columns, self._size = source, columns, size
        self._file: _OpenFile | None = None

    def read(self, start: int, stop: int) -> Iterator[Rows]:
        """Yield the rows between two numbers, counted over all files.

        Where a piece ends does not depend on what was read before. A piece contains
        rows of one file only.
        """
        while start < stop:
            path, first, n_left = self._source.locate(start)
            n_rows = min(self._size, stop - start, n_left)
            if self._file is None or (self._file.path, self._file.row) != (path, first):
                self._file = _OpenFile(path, first, self._columns, self._size)
            yield Rows(path.name, first, self._file.take(n_rows))
            start += n_rows


class _OpenFile:
    """A file at a row, without the row groups before that."""

    def __init__(self, path: Path, row: int, columns: list[str], size: int) -> None:
        pa = import_pyarrow()
        self.path, self.row = path, row
        file = _open(path)
        groups = range(file.num_row_groups)
        ends = list(accumulate(file.metadata.row_group(k).num_rows for k in groups))
        group = bisect_right(ends, row)
        self._batches = file.iter_batches(
            size, row_groups=list(groups[group:]), columns=columns
        )
        schema = file.schema_arrow.remove_metadata()
        chosen = pa.schema([schema.field(name) for name in columns])
        self._rest = chosen.empty_table()
        self._skip(row - ([0, *ends][group]))

    def _skip(self, n_rows: int) -> None:
        while n_rows:
            self._fill(1)
            n_skipped = min(n_rows, self._rest.num_rows)
            self._rest = self._rest.slice(n_skipped)
            n_rows -= n_skipped

    def take(self, n_rows: int) -> Any:
        """Return the next rows as a table."""
        self._fill(n_rows)
        taken, self._rest = self._rest.slice(0, n_rows), self._rest.slice(n_rows)
        self.row += n_rows
        return taken

    def _fill(self, n_rows: int) -> None:
        pa = import_pyarrow()
        while self._rest.num_rows < n_rows:
            with _naming(self.path):
                batch = next(self._batches)
            more = pa.Table.from_batches([batch]).select(self._rest.column_names)
            self._rest = pa.concat_tables([self._rest, more.replace_schema_metadata()])


def _find_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    # As in other programs, names that start so are not data.
    found = [x for x in path.glob("*.parquet") if x.is_file() and x.name[0] not in "._"]
    if not found:
        raise InputError(
            "source must be a Parquet file, or a folder with files named *.parquet. "
            f"Got {str(path)!r}, which {'has none' if path.is_dir() else 'is missing'}."
            " Correct the path."
        )
    return sorted(found)


def _describe(path: Path) -> tuple[Any, int]:
    """Return the columns and the number of rows of a file."""
    with _open(path) as file:
        return file.schema_arrow.remove_metadata(), file.metadata.num_rows


def _open(path: Path) -> Any:
    with _naming(path):
        pq = import_pyarrow("pyarrow.parquet")
        return pq.ParquetFile(path, buffer_size=_BUFFER_BYTES)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file that cannot be read."""
    try:
        yield
    # pyarrow raises both for damaged files.
    except (OSError, ValueError) as error:
        raise InputError(
            f"source must consist of Parquet files. Got {str(path)!r}, which cannot be "
            f"read ({error}). Restore or remove it."
        ) from error
