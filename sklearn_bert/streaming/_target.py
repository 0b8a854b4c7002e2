"""A folder of Parquet files that is written file by file, and resumed after a kill."""

import errno
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sklearn_bert._engine.runtime.files import remove_leftovers, replace_file
from sklearn_bert._engine.runtime.locks import hold_folder
from sklearn_bert.exceptions import ResumeError
from sklearn_bert.streaming._pyarrow import import_pyarrow

# The key of what each file says about the run that has written it.
_KEY = b"sklearn_bert"
_START = "part-"
_FORMAT = 1
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ParquetTarget:
    """A folder with one file for each so many rows.

    Each file is there as a whole or not at all, and says to which run it belongs.
    Nothing else is in the folder: some programs read all that is there.

    Parameters
    ----------
    folder : pathlib.Path
    n_rows : int
        Of all files together.
    rows_per_file : int
    identity : dict of str to object
        What must be the same if a run is resumed, in JSON types.
    """

    def __init__(
        self, folder: Path, n_rows: int, rows_per_file: int, identity: dict[str, Any]
    ) -> None:
        self._folder, self._n_rows = folder, n_rows
        self._rows_per_file, self._identity = rows_per_file, identity

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder if it is missing, and keep other processes from writing.

        Raises
        ------
        ResumeError
            If another process writes to it, or other files are in it.
        """
        if self._folder.exists() and not self._folder.is_dir():
            raise self._refusal("which is a file", "Choose a folder")
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(hold_folder(self._folder))
            except BlockingIOError as error:
                raise ResumeError(
                    "Only one call may write to target at a time. Got "
                    f"{str(self._folder)!r}, to which another one is writing. Wait for "
                    "it, or choose another folder."
                ) from error
            # Of a killed process. Some programs would read it as data.
            remove_leftovers(self._folder, f".{_START}")
            self._check()
            yield

    def missing(self) -> Iterator[range]:
        """Yield the rows of each file that is missing, in order."""
        return (rows for rows in self._all() if not self._path(rows).exists())

    def write(self, rows: range, batches: Iterable[Any]) -> None:
        """Write the file of some rows.

        Parameters
        ----------
        rows : range
        batches : iterable of pyarrow.RecordBatch

        Raises
        ------
        OSError
            If the disk is full. Files that were written before remain.
        """
        pq = import_pyarrow("pyarrow.parquet")
        metadata = {_KEY: json.dumps(self._content(rows))}

        def write(path: Path) -> None:
            writer = None
            try:
                for batch in batches:
                    if writer is None:
                        schema = batch.schema.with_metadata(metadata)
                        writer = pq.ParquetWriter(path, schema)
                    writer.write_batch(batch)
            finally:
                if writer is not None:
                    writer.close()

        try:
            replace_file(self._path(rows), write)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise OSError(
                error.errno,
                f"The disk of target must have free space. Got {str(self._folder)!r} "
                f"({error}). Free some, and call again: finished files are kept.",
            ) from error

    def _all(self) -> Iterator[range]:
        return map(self._rows_from, range(0, self._n_rows, self._rows_per_file))

    def _rows_from(self, start: int) -> range:
        return range(start, min(start + self._rows_per_file, self._n_rows))

    def _path(self, rows: range) -> Path:
        n_files = -(-self._n_rows // self._rows_per_file)
        # Programs read files in the order of their names.
        width = max(5, len(str(n_files - 1)))
        number = rows.start // self._rows_per_file
        return self._folder / f"{_START}{number:0{width}}.parquet"

    def _rows_of(self, path: Path) -> range | None:
        """Return the rows of a file by its name, or None for one that is not ours."""
        number = path.stem.removeprefix(_START)
        start = int(number) * self._rows_per_file if number.isdecimal() else -1
        rows = self._rows_from(start)
        return rows if 0 <= start < self._n_rows and path == self._path(rows) else None

    def _content(self, rows: range) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "rows": [rows.start, rows.stop],
            **self._identity,
        }

    def _check(self) -> None:
        """Refuse files of other calls, and other files."""
        for path in sorted(self._folder.iterdir()):
            found = _read_content(path)
            if found is None:
                raise self._refusal(
                    f"where {path.name} was not written by transform_parquet",
                    "Choose another folder, or move the file out of it",
                )
            rows = self._rows_of(path)
            wanted = self._identity if rows is None else self._content(rows)
            changed = [name for name in wanted if found.get(name) != wanted[name]]
            if changed or rows is None:
                # The rows of a file follow from the two numbers.
                others = [name for name in changed if name != "rows"]
                names = " and ".join(others) or "number of rows"
                raise self._refusal(
                    f"where {path.name} was written with a different {names}",
                    "Restore what has changed to resume, or choose another folder to "
                    "start over",
                )

    def _refusal(self, what: str, remedy: str) -> ResumeError:
        return ResumeError(
            "target must be a new or empty folder, or one that the same call has "
            f"begun to fill. Got {str(self._folder)!r}, {what}. {remedy}."
        )


def _read_content(path: Path) -> dict[str, Any] | None:
    """Return what a file says about its call, or None if it says nothing."""
    pq = import_pyarrow("pyarrow.parquet")
    try:
        content = json.loads(pq.read_metadata(path).metadata[_KEY])
    # Whatever is wrong with it, it is not a file of ours.
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return content if isinstance(content, dict) else None
