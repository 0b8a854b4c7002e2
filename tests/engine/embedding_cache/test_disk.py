"""The cache on disk is bounded and shared, and never returns damaged bytes."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from sklearn_bert._engine.embedding_cache.disk import NAME, DiskStore
from sklearn_bert._engine.embedding_cache.store import StoreError

LARGE = 2**30


@pytest.fixture
def store(tmp_path):
    return DiskStore(tmp_path / "new" / "cache", LARGE)


def change(store, statement, *values):
    """Change the database behind the back of the store."""
    with sqlite3.connect(store.folder / NAME) as database:
        database.execute(statement, values)
    database.close()


def many(start, stop, size=1500):
    return {
        k.to_bytes(16, "big"): k.to_bytes(2, "big") * size for k in range(start, stop)
    }


def test_what_is_written_is_read(store):
    entries = many(0, 2000)
    store.write(entries)
    assert store.read([*entries, b"absent"]) == entries


def test_the_last_of_two_writes_counts(store):
    store.write({b"a": b"old"})
    store.write({b"a": b"new"})
    assert store.read([b"a"]) == {b"a": b"new"}
    assert store.info().n_vectors == 1


def test_a_folder_is_created_only_to_write_to_it(store):
    assert store.read([b"a"]) == {}
    assert store.info().n_vectors == 0
    store.clear()
    assert not store.folder.parent.exists()
    store.write({b"a": b"b"})
    assert store.folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="needs the modes of POSIX")
def test_a_new_folder_is_for_its_owner_alone(store):
    store.write({b"a": b"b"})
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "damage",
    ["zeroblob(length(entry))", "substr(entry, 1, 8)", "x''", "entry || x'00'", "7"],
)
def test_a_damaged_entry_is_not_read(store, damage):
    store.write({b"a": b"first", b"b": b"second"})
    change(store, f"UPDATE vectors SET entry = {damage} WHERE key = ?", b"a")
    assert store.read([b"a", b"b"]) == {b"b": b"second"}


def test_an_entry_of_another_key_is_not_read(store):
    store.write({b"a": b"first"})
    change(store, "UPDATE vectors SET key = ?", b"b")
    assert store.read([b"a", b"b"]) == {}


def test_the_oldest_entries_are_removed_when_it_is_full(tmp_path):
    store = DiskStore(tmp_path, 2_000_000)
    for start in range(0, 2000, 100):
        store.write(many(start, start + 100))
    info = store.info()
    assert info.n_bytes <= info.max_bytes
    kept = sorted(int.from_bytes(key, "big") for key in store.read([*many(0, 2000)]))
    assert kept == [*range(2000 - len(kept), 2000)]
    assert len(kept) > 300
    assert (tmp_path / NAME).stat().st_size < 3_000_000


def test_an_entry_larger_than_the_cache_is_not_kept(tmp_path):
    store = DiskStore(tmp_path, 200_000)
    store.write({b"a": bytes(1_000_000)})
    assert store.info().n_vectors == 0


def test_clearing_gives_the_space_back(store):
    store.write(many(0, 1000))
    store.clear()
    assert store.read([*many(0, 1000)]) == {}
    assert (store.folder / NAME).stat().st_size < 200_000


def test_it_takes_little_more_space_than_the_vectors(store):
    for start in range(0, 8000, 1000):
        store.write({k: v[:1537] for k, v in many(start, start + 1000).items()})
    assert store.info().n_bytes < 1.15 * 8000 * 1536


def test_threads_lose_nothing(store):
    def write(start):
        for k in range(start, start + 50, 5):
            store.write(many(k, k + 5))

    threads = [threading.Thread(target=write, args=(k,)) for k in range(0, 400, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.read([*many(0, 400)])) == 400


WRITER = """
import pathlib, sys
from sklearn_bert._engine.embedding_cache.disk import DiskStore
store = DiskStore(pathlib.Path(sys.argv[1]), 2**30)
for k in range(int(sys.argv[2]), int(sys.argv[2]) + 50):
    store.write({k.to_bytes(16, "big"): k.to_bytes(2, "big") * 1500})
"""


def test_processes_lose_nothing(store):
    command = [sys.executable, "-P", "-c", WRITER, str(store.folder)]
    writers = [subprocess.Popen([*command, str(start)]) for start in range(0, 200, 50)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
    assert store.read([*many(0, 200)]) == many(0, 200)


def test_a_file_that_is_not_a_database_is_an_error(store):
    store.folder.mkdir(parents=True)
    (store.folder / NAME).write_bytes(b"not a database " * 1000)
    for call in (lambda: store.read([b"a"]), lambda: store.write({b"a": b"b"})):
        with pytest.raises(
            StoreError, match=r"whose embeddings\.sqlite3 cannot be used \(file is not"
        ):
            call()


def test_a_folder_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("a")
    store, inside = (DiskStore(tmp_path / x, LARGE) for x in ("file", "file/cache"))
    with pytest.raises(StoreError, match="which is a file"):
        store.info()
    with pytest.raises(StoreError, match="which is a file"):
        store.write({b"a": b"b"})
    with pytest.raises(StoreError, match="which cannot be created"):
        inside.write({b"a": b"b"})


FORKS = """
import os, pathlib, sys, threading, time, warnings
from sklearn_bert._engine.embedding_cache.disk import DiskStore
warnings.simplefilter("ignore")
store = DiskStore(pathlib.Path(sys.argv[1]), 2**30)
stop = threading.Event()
def write():
    k = 0
    while not stop.is_set():
        store.write({b"%d" % k: bytes(1500)})
        k += 1
thread = threading.Thread(target=write)
thread.start()
codes = []
for k in range(20):
    child = os.fork()
    if child == 0:
        store.write({b"child %d" % k: b"x"})
        os._exit(0)
    codes.append(os.waitpid(child, 0)[1])
stop.set()
thread.join()
print(sum(codes), len(store.read([b"child %d" % k for k in range(20)])))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_can_write_while_the_parent_does(store):
    done = subprocess.run(
        [sys.executable, "-P", "-c", FORKS, str(store.folder)],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert done.stdout.split() == ["0", "20"]


def test_an_interrupted_write_leaves_the_old_entries(store):
    store.write({b"a": b"old"})

    class Entries(dict):
        def items(self):
            yield b"a", b"new"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(Entries())
    assert store.read([b"a"]) == {b"a": b"old"}
