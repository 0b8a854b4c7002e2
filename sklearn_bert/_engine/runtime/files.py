"""Files that are replaced atomically."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sklearn_bert._engine.runtime.locks import (
    HAS_LOCKS,
    FolderLock,
    lock_folder,
    unlock,
)

_SUFFIX = ".part"
# Names may have 255 bytes, and a character up to four.
_MOST_CHARACTERS = 40


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Replace a file atomically.

    A temporary file is written, synchronized to the disk, and renamed over the previous
    one. If the process is killed in between, the previous file remains, and the next
    call removes the temporary one. Of several processes that replace a file at once,
    the last one prevails.

    Parameters
    ----------
    path : pathlib.Path
    write : callable
        Writes the new content to a path.
    """
    with _own_folder(path) as folder:
        part = folder / path.name
        write(part)
        force_to_disk(part)
        os.replace(part, path)
        force_to_disk(path.parent)


@contextmanager
def _own_folder(path: Path) -> Iterator[Path]:
    """Make a folder next to a file, which is locked as long as this process uses it."""
    start = f".{path.name[:_MOST_CHARACTERS]}."
    remove_leftovers(path.parent, start)
    folder, lock = _make_locked(path.parent, start)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        unlock(lock)


def _make_locked(parent: Path, start: str) -> tuple[Path, FolderLock | None]:
    while True:
        folder = Path(tempfile.mkdtemp(_SUFFIX, start, parent))
        # Another process may have locked it for a moment, as a leftover.
        lock = lock_folder(folder, wait=True)
        if folder.exists():
            return folder, lock
        # It has been removed as one.
        unlock(lock)


def remove_leftovers(parent: Path, start: str) -> None:
    """Remove the folders of killed processes, which are not locked any more.

    Parameters
    ----------
    parent : pathlib.Path
        The folder of the files that they would have replaced.
    start : str
        The beginning of the names of these files, after a period.
    """
    for folder in list(parent.iterdir()):
        name = folder.name
        is_ours = name.startswith(start) and name.endswith(_SUFFIX)
        if not is_ours or folder.is_symlink() or not folder.is_dir():
            continue
        lock = lock_folder(folder, wait=False)
        if lock is not None or not HAS_LOCKS:
            shutil.rmtree(folder, ignore_errors=True)
        unlock(lock)


def force_to_disk(path: Path) -> None:
    # On Windows folders cannot be opened, and read-only files cannot be synchronized.
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
