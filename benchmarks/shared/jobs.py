"""Long runs: each job in a process of its own, and done only once."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.shared.machine import peak_rss_mib

Record = dict[str, Any]


def run_alone(job: Callable[..., Record | None], *arguments: Any) -> Record:
    """Call a function in a new process; return its outcome and the peak memory.

    Returns
    -------
    dict
        What the function returned, and ``peak_rss_mib`` of the process, interpreter
        and libraries included.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_measured, job, arguments).result()
        except BrokenProcessPool as error:
            raise RuntimeError(
                "the process was killed, as happens where memory is short"
            ) from error


def _measured(job: Callable[..., Record | None], arguments: Sequence[Any]) -> Record:
    outcome = job(*arguments) or {}
    return {**outcome, "peak_rss_mib": peak_rss_mib()}


class Journal:
    """The jobs that are done: one line of JSON each.

    Parameters
    ----------
    file : pathlib.Path or None
        None keeps them in memory only.
    key : sequence of str
        The fields that tell one job from another.
    """

    def __init__(self, file: Path | None, key: Sequence[str]) -> None:
        self._file, self._key = file, key
        self.records: list[Record] = []
        if file is not None and file.exists():
            lines = file.read_text(encoding="utf-8").splitlines()
            self.records = [json.loads(line) for line in lines if line]

    def find(self, record: Record) -> Record | None:
        """Return the outcome of the same job with the same settings, if any."""
        wanted = [record[name] for name in self._key]
        for known in self.records:
            if [known.get(name) for name in self._key] == wanted:
                return known
        return None

    def add(self, record: Record) -> None:
        """Append an outcome at once."""
        self.records.append(record)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(record) + "\n")
