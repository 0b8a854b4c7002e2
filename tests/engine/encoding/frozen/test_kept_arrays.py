"""Arrays are kept in memory and in a file, within limits, in threads and forks."""

import errno
import gc
import multiprocessing
import os
import tempfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sklearn_bert._engine.encoding.frozen.kept_arrays import (
    BYTES_PER_ENTRY,
    KeptArrays,
)

N_BYTES = 4 * 6
# With a key of one byte.
N_BYTES_IN_INDEX = 1 + BYTES_PER_ENTRY
N_BYTES_IN_MEMORY = N_BYTES + N_BYTES_IN_INDEX


@pytest.fixture
def arrays():
    """Eight arrays of 24 bytes."""
    return {
        bytes([key]): np.arange(6, dtype="float32").reshape(3, 2) + key
        for key in range(8)
    }


@pytest.fixture(params=["memory", "file", "both"])
def kept(request):
    """Room for all of them, in memory, in a file, or in both together."""
    room = {
        "memory": (2**20, 0),
        "file": (0, 2**20),
        "both": (3 * N_BYTES_IN_MEMORY, 2**20),
    }
    return KeptArrays(*room[request.param])


def assert_found(kept, arrays):
    found = kept.read(arrays)
    assert list(found) == list(arrays)
    for key, array in arrays.items():
        np.testing.assert_array_equal(found[key], array)


def test_what_is_written_is_read(kept, arrays):
    kept.write(arrays)
    assert len(kept) == len(arrays)
    assert_found(kept, arrays)


def test_an_unknown_key_is_not_found(kept, arrays):
    kept.write(arrays)
    assert kept.read([b"other"]) == {}


def test_a_later_change_of_what_was_given_does_not_matter(kept, arrays):
    given = {key: array.copy() for key, array in arrays.items()}
    kept.write(given)
    for array in given.values():
        array[:] = -1
    assert_found(kept, arrays)


def test_what_is_there_takes_no_more_room(arrays):
    kept = KeptArrays(8 * N_BYTES_IN_MEMORY, 0)
    some = dict(list(arrays.items())[:4])
    kept.write(some)
    kept.write(some)
    kept.write(arrays)
    assert len(kept) == 8


@pytest.mark.parametrize(("in_memory", "on_disk"), [(3, 0), (0, 3), (2, 1)])
def test_no_more_is_kept_than_there_is_room_for(arrays, in_memory, on_disk):
    kept = KeptArrays(in_memory * N_BYTES_IN_MEMORY, on_disk * N_BYTES)
    kept.write(arrays)
    assert len(kept) == 3
    assert_found(kept, dict(list(arrays.items())[:3]))


def test_places_in_the_file_take_no_more_memory_than_there_is_room_for(arrays):
    kept = KeptArrays(0, 2**20, 3 * N_BYTES_IN_INDEX)
    kept.write(arrays)
    assert_found(kept, dict(list(arrays.items())[:3]))
    assert len(kept) == 3


@pytest.mark.parametrize(
    "room", [(2**21, 0, 0), (0, 2**30, 2**21)], ids=["memory", "file"]
)
def test_all_that_is_in_memory_counts(room):
    kept, array = KeptArrays(*room), np.zeros((1, 4), "float32")
    tracemalloc.start()
    try:
        n_before, _ = tracemalloc.get_traced_memory()
        for number in range(2**14):
            kept.write({number.to_bytes(16): array})
        n_after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(kept) < 2**14
    # It is full, and no larger.
    assert 2**20 < n_after - n_before < 2**21


def test_without_space_on_the_disk_the_rest_is_not_kept(arrays, monkeypatch):
    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = KeptArrays(3 * N_BYTES_IN_MEMORY)
    monkeypatch.setattr(os, "pwrite", fail)
    kept.write(arrays)
    assert len(kept) == 3


def test_without_a_folder_for_temporary_files_the_rest_is_not_kept(arrays, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    kept = KeptArrays(3 * N_BYTES_IN_MEMORY)
    kept.write(arrays)
    assert len(kept) == 3


def test_without_memory_the_rest_is_in_the_file(arrays):
    class Huge(np.ndarray):
        def copy(self, order="C"):
            raise MemoryError

    kept = KeptArrays()
    kept.write({key: array.view(Huge) for key, array in arrays.items()})
    assert_found(kept, arrays)


def test_a_file_that_cannot_be_read_is_as_if_nothing_were_there(arrays, monkeypatch):
    def fail(*args):
        raise OSError(errno.EIO, "Input/output error")

    kept = KeptArrays(3 * N_BYTES_IN_MEMORY)
    kept.write(arrays)
    monkeypatch.setattr(os, "pread", fail)
    assert list(kept.read(arrays)) == list(arrays)[:3]


def test_the_file_has_no_name_and_is_closed_with_the_last_user(
    arrays, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = KeptArrays(0)
    n_before = len(os.listdir("/proc/self/fd"))
    kept.write(arrays)
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == n_before + 1
    del kept
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == n_before


def test_threads_write_and_read_at_once(kept):
    arrays = {str(key).encode(): np.full(50, key) for key in range(400)}

    def work(first):
        for key in list(arrays)[first:]:
            kept.write({key: arrays[key]})
            assert_found(kept, {key: arrays[key]})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, (0, 50, 100, 150)))
    assert_found(kept, arrays)


def write_more(kept, arrays, answer):
    more = {key + b"more": array + 100 for key, array in arrays.items()}
    kept.write(more)
    found = {**arrays, **{key: more[key] for key in kept.read(more)}}
    assert_found(kept, found)
    answer.put(len(found))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_reads_the_file_and_leaves_it_unchanged(arrays):
    kept = KeptArrays(0)
    kept.write(arrays)
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    child = context.Process(target=write_more, args=(kept, arrays, answer))
    child.start()
    assert answer.get(timeout=60) == len(arrays)
    child.join()
    more = {b"last": np.arange(5.0)}
    kept.write(more)
    assert_found(kept, {**arrays, **more})
