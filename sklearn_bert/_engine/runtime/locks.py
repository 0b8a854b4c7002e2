"""Locks between threads and processes, which the system releases if one is killed.

A lock is a folder. There are none on Windows, and on some network file systems.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:
    # On Windows, where a folder with an open file cannot be removed.
    fcntl = None  # type: ignore[assignment]

HAS_LOCKS = fcntl is not None


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Let one thread of one process after the other run a block.

    Parameters
    ----------
    path : pathlib.Path
        A folder that only this lock uses. It is made, and removed afterwards. What a
        killed process has left is used and removed by the next.

    Raises
    ------
    OSError
        If the folder cannot be made.
    """
    lock = _wait_for(path) if HAS_LOCKS else None
    try:
        yield
    finally:
        # While it is locked. Those who wait for it make a new one.
        with suppress(OSError):
            path.rmdir()
        unlock(lock)


def _wait_for(path: Path) -> "FolderLock | None":
    while True:
        with suppress(FileExistsError):
            path.mkdir(parents=True)
        try:
            lock = FolderLock(path)
        except FileNotFoundError:
            # The one before has just removed it.
            continue
        if not lock.acquire(wait=True):
            return None
        if lock.is_at(path):
            return lock
        lock.release()


def lock_folder(folder: Path, *, wait: bool) -> "FolderLock | None":
    """Lock a folder; return None if another one has locked it, or none can.

    Parameters
    ----------
    folder : pathlib.Path
    wait : bool
        Whether to wait until nobody else has locked it.

    Returns
    -------
    FolderLock or None
        For :func:`unlock`.
    """
    if not HAS_LOCKS:
        return None
    try:
        lock = FolderLock(folder)
    except OSError:
        return None
    return lock if lock.acquire(wait=wait) else None


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Lock a folder during a block. Where there are no locks, nothing is locked.

    Raises
    ------
    BlockingIOError
        If another thread or process has locked it.
    """
    lock = FolderLock(folder) if HAS_LOCKS else None
    try:
        if lock is not None:
            try:
                lock.acquire_now()
            except BlockingIOError:
                raise
            except OSError:
                # The file system has none.
                pass
        yield
    finally:
        unlock(lock)


def unlock(lock: "FolderLock | None") -> None:
    """Release a lock.

    Parameters
    ----------
    lock : FolderLock or None
        What :func:`lock_folder` returned.
    """
    if lock is not None:
        lock.release()


class FolderLock:
    """An open folder, which can be locked.

    A lock that nothing refers to is released: Ctrl-C may arrive after it was acquired
    and before the block that would release it.

    Parameters
    ----------
    folder : pathlib.Path
    """

    _descriptor: int | None = None

    def __init__(self, folder: Path) -> None:
        self._process = os.getpid()
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        self._descriptor = os.open(folder, flags)

    def acquire(self, *, wait: bool) -> bool:
        """Lock the folder, or close it if this is not possible."""
        assert self._descriptor is not None
        try:
            if wait:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            else:
                self.acquire_now()
        except OSError:
            self.release()
            return False
        return True

    def acquire_now(self) -> None:
        """Lock the folder, or raise BlockingIOError, or another OSError."""
        assert self._descriptor is not None
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_at(self, path: Path) -> bool:
        """Return whether the folder is still the one at a path."""
        assert self._descriptor is not None
        try:
            return os.path.samestat(os.fstat(self._descriptor), path.lstat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Unlock and close the folder."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        # Closing is not enough if the process was forked: the copy holds the lock too.
        # The copy itself only closes, as the lock is still that of this process.
        if os.getpid() == self._process:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    __del__ = release
