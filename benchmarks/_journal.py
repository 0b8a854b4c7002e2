"""What a long run has done, on disk at once, so that it can be resumed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Journal:
    """The jobs that are done: a line of JSON each.

    Parameters
    ----------
    file : pathlib.Path or None
        None keeps them in memory only.
    key : sequence of str
        The fields by which one job is told from another.
    """

    def __init__(self, file: Path | None, key: Sequence[str]) -> None:
        self._file, self._key = file, key
        self.records: list[Record] = []
        if file is not None and file.exists():
            lines = file.read_text(encoding="utf-8").splitlines()
            self.records = [json.loads(line) for line in lines if line]

    def find(self, record: Record) -> Record | None:
        """Return the outcome of the same job with the same settings, if it is there."""
        wanted = [record[name] for name in self._key]
        return next(
            (
                old
                for old in self.records
                if [old.get(name) for name in self._key] == wanted
            ),
            None,
        )

    def add(self, record: Record) -> None:
        """Append an outcome at once."""
        self.records.append(record)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(record) + "\n")
