"""A folder of Parquet files that is written file by file."""

import errno
import os
from contextlib import ExitStack

import pytest

from sklearn_bert.exceptions import ResumeError
from sklearn_bert.streaming._target import ParquetTarget

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def make(folder, *, n_rows=25, rows_per_file=10, **identity):
    identity = {"method": "transform", "rows_per_file": rows_per_file, **identity}
    return ParquetTarget(folder, n_rows, rows_per_file, identity)


def batches(rows):
    for some in (rows[:3], rows[3:]):
        yield pa.record_batch({"row": pa.array(some, pa.int64())})


def fill(target, n_files=None):
    with target.opened():
        for rows in list(target.missing())[:n_files]:
            target.write(rows, batches(rows))


def test_files_hold_the_rows_in_order_and_nothing_else_is_there(tmp_path):
    fill(make(tmp_path / "new" / "target"))
    folder = tmp_path / "new" / "target"
    assert sorted(os.listdir(folder)) == [f"part-0000{k}.parquet" for k in range(3)]
    assert pq.read_table(folder)["row"].to_pylist() == list(range(25))


def test_names_sort_as_numbers(tmp_path):
    target = make(tmp_path, n_rows=100_001, rows_per_file=1)
    with target.opened():
        target.write(range(7, 8), batches(range(7, 8)))
    assert os.listdir(tmp_path) == ["part-000007.parquet"]


def test_missing_files_are_written_later(tmp_path):
    fill(make(tmp_path), n_files=2)
    (tmp_path / "part-00000.parquet").unlink()
    target = make(tmp_path)
    with target.opened():
        assert list(target.missing()) == [range(0, 10), range(20, 25)]
    fill(target)
    assert pq.read_table(tmp_path)["row"].to_pylist() == list(range(25))


def test_an_error_leaves_no_part_of_a_file(tmp_path):
    def fail(rows):
        yield pa.record_batch({"row": [1]})
        raise KeyError

    target = make(tmp_path)
    with pytest.raises(KeyError), target.opened():
        target.write(range(0, 10), fail(range(0, 10)))
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_has_left_is_removed(tmp_path):
    fill(make(tmp_path))
    left = tmp_path / ".part-00002.parquet.abc.part"
    left.mkdir()
    (left / "part-00002.parquet").write_bytes(b"half")
    fill(make(tmp_path))
    assert len(os.listdir(tmp_path)) == 3


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"method": "predict"}, "a different method"),
        ({"rows_per_file": 9}, "a different rows_per_file"),
        ({"n_rows": 15}, "a different number of rows"),
        ({"n_rows": 20}, "a different number of rows"),
    ],
)
def test_files_of_another_call_are_refused(tmp_path, change, shown):
    fill(make(tmp_path))
    with pytest.raises(ResumeError, match="target must be a new or") as caught:
        fill(make(tmp_path, **change))
    assert f"{shown}. Restore" in str(caught.value)


@pytest.mark.parametrize("name", ["part-00000.parquet", "a.parquet", "notes.txt"])
def test_other_files_are_refused(tmp_path, name):
    pq.write_table(pa.table({"row": [1]}), tmp_path / name)
    words = f"{name} was not written by transform_parquet. Choose another folder, or"
    with pytest.raises(ResumeError, match=words):
        fill(make(tmp_path))


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "target").touch()
    with pytest.raises(ResumeError, match=r"which is a file\. Choose a folder\.$"):
        fill(make(tmp_path / "target"))


def test_a_second_call_at_the_same_time_is_refused(tmp_path):
    pytest.importorskip("fcntl")
    with ExitStack() as stack:
        stack.enter_context(make(tmp_path).opened())
        with pytest.raises(ResumeError, match="Only one call may write to target"):
            fill(make(tmp_path))
    fill(make(tmp_path))


def test_an_error_of_the_work_is_not_taken_for_a_lock(tmp_path):
    with pytest.raises(BlockingIOError), make(tmp_path).opened():
        raise BlockingIOError


def test_a_full_disk_is_reported_and_leaves_what_is_finished(tmp_path):
    resource = pytest.importorskip("resource")
    fill(make(tmp_path), n_files=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="disk of target must have") as caught:
            fill(make(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert os.listdir(tmp_path) == ["part-00000.parquet"]
    fill(make(tmp_path))
    assert pq.read_table(tmp_path)["row"].to_pylist() == list(range(25))


def test_other_errors_of_the_system_are_those_of_the_work(tmp_path):
    def fail():
        yield pa.record_batch({"row": [1]})
        raise OSError(errno.ENOENT, "no model")

    target = make(tmp_path)
    with pytest.raises(OSError, match="no model"), target.opened():
        target.write(range(0, 10), fail())
