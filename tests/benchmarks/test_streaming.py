"""Memory and kills of Parquet to Parquet, in benchmarks/encoding/streaming.py."""

import os
import signal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.encoding import streaming


class Running:
    """A process that works in this one: a file for each time that it is asked."""

    exitcode = 0
    pid = os.getpid()

    def __init__(self, target, n_files):
        self.target, self.n_left = target, n_files
        target.mkdir(exist_ok=True)

    def is_alive(self):
        self.n_left -= 1
        write(self.target, 10 * self.n_left, 10)
        return self.n_left > 0

    def join(self):
        """Do nothing."""


def write(folder, first, n_rows):
    folder.mkdir(exist_ok=True)
    table = pa.table({"id": np.arange(first, first + n_rows)})
    pq.write_table(table, folder / f"part-{first:05}.parquet")


def test_the_source_has_one_row_group_of_different_texts(tmp_path):
    streaming.write_source(tmp_path / "a.parquet", 100, 8)
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert file.num_row_groups == 1
    table = file.read()
    assert table["id"].to_pylist() == list(range(100))
    assert len(set(table["text"].to_pylist())) == 100


def test_memory_is_read_at_each_new_file(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "POLL_S", 0)
    memory = iter(range(100, 200))
    monkeypatch.setattr(streaming, "rss_mib", lambda pid: next(memory))
    monkeypatch.setattr(streaming, "start", lambda *args: Running(args[0], 30))
    row = streaming.run_undisturbed(tmp_path / "target", tmp_path / "target")
    assert row["n_files"] == 30
    assert row["slope"] == pytest.approx(1)
    assert row["last_mib"] - row["first_mib"] == 25


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_the_memory_of_a_process_is_known_while_it_runs():
    assert streaming.rss_mib(os.getpid()) > 10
    assert streaming.rss_mib(2**22 + 1) == 0


def test_missing_and_repeated_rows_and_other_bytes_are_counted(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for first in (0, 10, 20):
        write(one, first, 10)
    assert streaming.compare(one, one, 30) == {
        "same_files": True,
        "missing": 0,
        "twice": 0,
    }
    for first in (0, 8, 20):
        write(other, first, 10)
    assert streaming.compare(other, one, 30) == {
        "same_files": False,
        "missing": 2,
        "twice": 2,
    }


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_a_run_kills_and_compares(monkeypatch):
    # New processes take seconds.
    class Done:
        exitcode, pid = 0, 2**22 + 1

        def __init__(self, *arguments):
            streaming.work(*arguments)

        is_alive = kill = join = lambda self: None

    monkeypatch.setattr(streaming, "set_threads", lambda n: None)
    monkeypatch.setattr(streaming, "start", Done)
    result = streaming.run(streaming.parse_arguments(["--quick"]), 1)
    undisturbed, killed = result["rows"]
    assert killed["same_files"] is True
    assert (killed["kills"], killed["n_files"]) == (1, 10)
    assert undisturbed["missing"] == undisturbed["twice"] == 0
