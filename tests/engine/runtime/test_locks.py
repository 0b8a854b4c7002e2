"""One at a time, of all threads and processes, and nothing is left of it."""

import errno
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sklearn_bert._engine.runtime.locks import (
    HAS_LOCKS,
    hold_folder,
    lock_folder,
    one_at_a_time,
    unlock,
)

pytestmark = pytest.mark.skipif(not HAS_LOCKS, reason="the system has no locks")


def count_up(path, lock, times):
    """Add to the number in a file, which is wrong if others do at the same time."""
    for _ in range(times):
        with one_at_a_time(lock):
            number = int(path.read_text())
            time.sleep(0.001)
            path.write_text(str(number + 1))


def test_threads_run_one_after_the_other(tmp_path):
    path, lock = tmp_path / "number", tmp_path / "lock"
    path.write_text("0")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, [path] * 8, [lock] * 8, [25] * 8))
    assert path.read_text() == "200"
    assert os.listdir(tmp_path) == ["number"]


def test_processes_run_one_after_the_other(tmp_path):
    path, lock = tmp_path / "number", tmp_path / "lock"
    path.write_text("0")
    children = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                count_up(path, lock, 50)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert path.read_text() == "200"
    assert os.listdir(tmp_path) == ["number"]


def test_a_killed_process_releases_its_lock(tmp_path):
    lock = tmp_path / "lock"
    pid = os.fork()
    if not pid:
        with one_at_a_time(lock):
            signal.pause()
    while not lock.exists():
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert lock.exists()
    with one_at_a_time(lock):
        assert lock.exists()
    assert not lock.exists()


def test_a_process_that_was_forked_meanwhile_does_not_keep_the_lock(tmp_path):
    held = lock_folder(tmp_path, wait=True)
    pid = os.fork()
    if not pid:
        signal.pause()
    try:
        unlock(held)
        again = lock_folder(tmp_path, wait=False)
        assert again is not None
        unlock(again)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_lock_that_is_lost_is_released(tmp_path):
    held = lock_folder(tmp_path, wait=True)
    assert held is not None
    del held
    again = lock_folder(tmp_path, wait=False)
    assert again is not None
    unlock(again)


def test_a_process_that_was_forked_meanwhile_does_not_release_the_lock(tmp_path):
    held = lock_folder(tmp_path, wait=True)
    pid = os.fork()
    if not pid:
        unlock(held)
        os._exit(0)
    os.waitpid(pid, 0)
    assert lock_folder(tmp_path, wait=False) is None
    unlock(held)


def test_a_folder_is_locked_once(tmp_path):
    held = lock_folder(tmp_path, wait=True)
    assert lock_folder(tmp_path, wait=False) is None
    unlock(held)


def test_links_are_not_locked(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path)
    with pytest.raises(OSError, match="lock"), one_at_a_time(tmp_path / "lock"):
        pass
    assert (tmp_path / "lock").is_symlink()


def test_file_systems_without_locks_are_written_all_the_same(tmp_path, monkeypatch):
    import fcntl

    def refuse(*args):
        raise OSError("No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with one_at_a_time(tmp_path / "lock"):
        pass
    assert os.listdir(tmp_path) == []


def test_a_held_folder_is_refused_to_others_and_free_afterwards(tmp_path):
    with hold_folder(tmp_path):
        with pytest.raises(BlockingIOError), hold_folder(tmp_path):
            pass
        # Refusing must not have released it.
        assert lock_folder(tmp_path, wait=False) is None
    with hold_folder(tmp_path):
        pass


def test_a_file_system_without_locks_holds_nothing(tmp_path, monkeypatch):
    def flock(descriptor, how):
        raise OSError(errno.ENOTSUP, "no locks")

    monkeypatch.setattr("sklearn_bert._engine.runtime.locks.fcntl.flock", flock)
    with hold_folder(tmp_path), hold_folder(tmp_path):
        pass
