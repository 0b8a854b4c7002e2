"""Files that are replaced atomically."""

import os
from collections.abc import Callable
from pathlib import Path


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Replace a file atomically.

    A temporary file is written, synchronized to the disk, and renamed over the previous
    one. If the process is killed in between, the previous file remains.

    Parameters
    ----------
    path : pathlib.Path
    write : callable
        Writes the new content to a path.
    """
    # Always the same name, so that leftovers of a killed process are replaced. They are
    # removed first, since somebody else could have put a link there.
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        write(part)
        _force_to_disk(part)
        os.replace(part, path)
        _force_to_disk(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _force_to_disk(path: Path) -> None:
    # On Windows folders cannot be opened, and read-only files cannot be synchronized.
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
