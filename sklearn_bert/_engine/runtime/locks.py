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
    descriptor = _wait_for(path) if HAS_LOCKS else None
    try:
        yield
    finally:
        # While it is locked. Those who wait for it make a new one.
        with suppress(OSError):
            path.rmdir()
        unlock(descriptor)


def _wait_for(path: Path) -> int | None:
    while True:
        with suppress(FileExistsError):
            path.mkdir(parents=True)
        try:
            descriptor = _open(path)
        except FileNotFoundError:
            # The one before has just removed it.
            continue
        if not _has_locked(descriptor, wait=True):
            return None
        if _is_at(descriptor, path):
            return descriptor
        unlock(descriptor)


def lock_folder(folder: Path, *, wait: bool) -> int | None:
    """Lock a folder; return None if another one has locked it, or none can.

    Parameters
    ----------
    folder : pathlib.Path
    wait : bool
        Whether to wait until nobody else has locked it.

    Returns
    -------
    int or None
        For :func:`unlock`.
    """
    if not HAS_LOCKS:
        return None
    try:
        descriptor = _open(folder)
    except OSError:
        return None
    return descriptor if _has_locked(descriptor, wait=wait) else None


def unlock(descriptor: int | None) -> None:
    """Release a lock.

    Parameters
    ----------
    descriptor : int or None
        What :func:`lock_folder` returned.
    """
    if descriptor is None:
        return
    # Closing is not enough if the process was forked: the copy holds the lock too.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _has_locked(descriptor: int, *, wait: bool) -> bool:
    """Lock an open folder, or close it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        return False
    except BaseException:
        # Ctrl-C while it waits.
        os.close(descriptor)
        raise
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
