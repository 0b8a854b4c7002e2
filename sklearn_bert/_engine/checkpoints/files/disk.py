"""The files of a checkpoint on the disk: which are read, and how large they may be.

A checkpoint comes from others. Only regular files are opened, so that reading never
waits, and sizes are checked before the content is read, so that it ends soon.
"""

import errno
import hashlib
import json
import os
import stat
import struct
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from sklearn_bert.exceptions import CheckpointError

_MIB = 2**20
# The largest files that are read. The largest vocabularies of encoders have 20 MB, the
# largest weights 40 GB.
_LARGEST = {
    "*.safetensors": 64 * 1024 * _MIB,
    "*.bin": 64 * 1024 * _MIB,
    "tokenizer.json": 200 * _MIB,
    "vocab.txt": 200 * _MIB,
    "vocab.json": 200 * _MIB,
    "merges.txt": 200 * _MIB,
    "*.model": 200 * _MIB,
}
_LARGEST_JSON = 16 * _MIB
_LARGEST_HEADER = 16 * _MIB
_N_BYTES_OF_LENGTH = 8


class UnreadableFileError(ValueError):
    """A file is not read; the message completes "The checkpoint"."""


def damaged(model: str, folder: Path, what: str) -> CheckpointError:
    """Return the error about the damaged checkpoint of a model."""
    return CheckpointError(
        f"The checkpoint of model {model!r} in {folder} {what}. Restore the folder "
        "from its source, or give another model."
    )


def read_file(folder: Path, name: str) -> bytes:
    """Return the content of a regular file.

    Raises
    ------
    UnreadableFileError
        If it is missing, not a regular file, too large or outside the folder.
    """
    path, status = _find(folder, name)
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            content = file.read(status.st_size + 1)
    except OSError as error:
        raise _unreadable(name, error) from error
    if len(content) != status.st_size:
        raise UnreadableFileError(f"has a {name} that changed while it was read")
    return content


def size_of(folder: Path, name: str) -> int:
    """Return the size of a regular file in bytes; errors as those of `read_file`."""
    return _find(folder, name)[1].st_size


def sha256_of(folder: Path, name: str) -> str:
    """Return the SHA-256 of a regular file; for weights, check their size first.

    The content is read again only if the file has changed.

    Raises
    ------
    UnreadableFileError
        As `read_file` does, or if the size of weights differs from their header.
    """
    path, status = _find(folder, name)
    version = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return _sha256(path, name, version)


@lru_cache(maxsize=256)
def _sha256(path: str, name: str, version: tuple[int, ...]) -> str:
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            if name.endswith(".safetensors"):
                _read_header(file, name)
                file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(name, error) from error


def read_header(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """Return the dtype, the shape and the place of each tensor of a weight file.

    Raises
    ------
    UnreadableFileError
        As `sha256_of` does.
    """
    path, _ = _find(folder, name)
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            return _read_header(file, name)
    except OSError as error:
        raise _unreadable(name, error) from error


def _read_header(file: Any, name: str) -> dict[str, dict[str, Any]]:
    size = os.fstat(file.fileno()).st_size
    try:
        (length,) = struct.unpack("<Q", file.read(_N_BYTES_OF_LENGTH))
        if not 0 < length <= min(_LARGEST_HEADER, size - _N_BYTES_OF_LENGTH):
            raise ValueError(f"its header has {length} bytes")
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        end = max(int(entry["data_offsets"][1]) for entry in header.values())
    except (ValueError, LookupError, AttributeError, TypeError, struct.error) as error:
        raise _no_weights(name, str(error)) from error
    except RecursionError as error:
        raise _no_weights(name, "its header is nested too deeply") from error
    expected = _N_BYTES_OF_LENGTH + length + end
    if size != expected:
        raise _no_weights(name, f"{size} bytes instead of {expected}")
    return header


def _no_weights(name: str, why: str) -> UnreadableFileError:
    return UnreadableFileError(f"has weights that cannot be read ({name}: {why})")


def _find(folder: Path, name: str) -> tuple[str, os.stat_result]:
    """Return the place behind links of a regular file of bounded size."""
    # Every call of transform looks at every file: strings are faster than Paths, and
    # links are rare.
    path = os.path.join(folder, name)
    try:
        target, status = path, os.lstat(path)
        may_be_elsewhere = "/" in name or stat.S_ISLNK(status.st_mode)
        if may_be_elsewhere:
            target = os.path.realpath(path, strict=True)
            status = os.stat(target)
    except OSError as error:
        raise _unreadable(name, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFileError(f"has a {name} that is not a regular file")
    if may_be_elsewhere:
        _check_belongs(Path(target), folder, name)
    largest = _largest_size(name)
    if status.st_size > largest:
        raise UnreadableFileError(
            f"has a {name} of {status.st_size} bytes, and at most {largest} are read"
        )
    return target, status


@lru_cache
def _largest_size(name: str) -> int:
    """Return the most bytes that are read of a file."""
    file = os.path.basename(name)
    kinds = (size for kind, size in _LARGEST.items() if fnmatchcase(file, kind))
    return next(kinds, _LARGEST_JSON)


def _check_belongs(target: Path, folder: Path, name: str) -> None:
    """Refuse a file outside of the folder and of where the Hub's cache puts files."""
    place = target.parent
    is_blob = place.name == "blobs" and place.parent.name.startswith("models--")
    if not is_blob and not target.is_relative_to(os.path.realpath(folder)):
        raise UnreadableFileError(
            f"has a {name} that is a link to a file outside the folder"
        )


def _open_without_waiting(path: str, flags: int) -> int:
    # A named pipe could have replaced the file. Windows has neither.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _unreadable(name: str, error: OSError) -> UnreadableFileError:
    why = {
        errno.ENOENT: "is missing, or a link to a missing file",
        errno.ELOOP: "is a link to itself",
    }.get(error.errno or 0, f"cannot be read ({error.strerror or error})")
    return UnreadableFileError(f"has a {name} that {why}")
