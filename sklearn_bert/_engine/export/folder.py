"""Folders that are written as a whole, and replaced only if nothing else is in them.

A file in the folder lists what was written. A later call replaces these files, and
refuses a folder with others.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeVar

from safetensors import SafetensorError

from sklearn_bert._engine.runtime.exchange import exchange
from sklearn_bert._engine.runtime.files import force_to_disk
from sklearn_bert._engine.runtime.locks import one_at_a_time
from sklearn_bert.exceptions import SavedFileError

# The list of the files that were written, itself included.
MANIFEST = "sklearn_bert.json"
# The same in every call, so that a call removes what a killed one has left.
_UNFINISHED = ".unfinished-sklearn-bert"
_LOCK = f"{_UNFINISHED}.lock"
# Without it, a folder is not a model. It comes last, the manifest first.
_LAST, _FIRST = "config.json", MANIFEST
# What macOS and Windows put into a folder that is looked at, and where Jupyter puts
# copies of files.
_LEFT_BY_VIEWERS = {".DS_Store", "Thumbs.db", "desktop.ini"}
_COPIES_OF_JUPYTER = ".ipynb_checkpoints"
_Result = TypeVar("_Result")


def find_foreign(folder: Path, marker: str) -> list[str]:
    """Return the files in a folder that :func:`replace_folder` has not written.

    Parameters
    ----------
    folder : pathlib.Path
        An existing folder.
    marker : str
        A file of every folder of this kind. All files in a folder of another kind, of
        the same estimator perhaps, are foreign.

    Returns
    -------
    list of str
        Relative paths in alphabetic order.
    """
    while True:
        written = _read_manifest(folder)
        names = _files_of(folder)
        # Otherwise another call has replaced the folder in between.
        if _read_manifest(folder) == written:
            break
    if marker not in written:
        written = frozenset()
    return sorted(name for name in names if not _is_own(name, written))


def replace_folder(folder: Path, write: Callable[[Path], _Result]) -> _Result:
    """Write a folder that is complete or absent, and replaces an earlier one.

    A new folder is written next to its place and renamed. An earlier one is exchanged
    for the new one, where the system can do that. An empty folder, which may be a mount
    point, the working directory, which would be another folder afterwards, and the
    others are filled instead; config.json, without which a folder is not a model, comes
    last. Of several threads and processes, one writes after the other.

    Parameters
    ----------
    folder : pathlib.Path
        Without files of others, see :func:`find_foreign`.
    write : callable
        Writes the new content into an empty folder.

    Returns
    -------
    object
        What ``write`` returns.

    Raises
    ------
    SavedFileError
        If the folder cannot be written. An earlier one is as it was, or not a model.
    """
    try:
        return _replace(folder, write)
    except Exception as error:
        if not _is_about_files(error):
            raise
        raise SavedFileError(
            f"folder must be a folder that can be written. Got {str(folder)!r} "
            f"({getattr(error, 'strerror', None) or error}). Check its permissions and "
            "the free space."
        ) from error


def _is_about_files(error: Exception) -> bool:
    """Tell whether a file could not be written.

    The errors of compiled packages are not OSErrors; that of tokenizers has no class.
    """
    is_of_system = isinstance(error, OSError | SafetensorError)
    return is_of_system or "(os error " in str(error)


def _replace(folder: Path, write: Callable[[Path], _Result]) -> _Result:
    # A link remains, and the folder that it names is replaced.
    folder = folder.resolve()
    with one_at_a_time(_place_of_lock(folder)):
        return _replace_alone(folder, write)


def _place_of_lock(folder: Path) -> Path:
    """Return a path next to a folder, or in it if only that can be written."""
    if folder.is_dir() and not os.access(folder.parent, os.W_OK):
        return folder / _LOCK
    return folder.with_name(f".{folder.name}{_LOCK}")


def _replace_alone(folder: Path, write: Callable[[Path], _Result]) -> _Result:
    sibling = folder.with_name(f".{folder.name}{_UNFINISHED}")
    exists = folder.exists()
    inside = folder / _UNFINISHED
    new = inside if exists else sibling
    for left in (sibling, inside):
        _remove(left)
    new.mkdir(parents=True)
    try:
        result = write(new)
        _finish(new)
        if not exists:
            new.rename(folder)
        elif _must_stay(folder) or not _exchange(folder, new, sibling):
            _fill(folder, new)
        force_to_disk(folder.parent)
    # Also after Ctrl-C.
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return result


def _must_stay(folder: Path) -> bool:
    """Return whether a folder is empty, maybe a mount point, or the working directory.

    A folder that is exchanged is another one, with the same name. A process that works
    in the earlier one would be nowhere.
    """
    try:
        is_here = folder.samefile(".")
    # The working directory has been removed.
    except FileNotFoundError:
        is_here = False
    return is_here or not _read_manifest(folder)


def _remove(path: Path) -> None:
    """Remove what a killed call has left, if there is something."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _finish(new: Path) -> None:
    """Add the manifest, and force everything to the disk."""
    names = sorted([*_files_of(new), MANIFEST])
    content = json.dumps({"files": names}, indent=2)
    (new / MANIFEST).write_text(content, encoding="utf-8")
    for name in names:
        force_to_disk(new / name)
    for path in (new, *filter(Path.is_dir, new.rglob("*"))):
        force_to_disk(path)


def _exchange(folder: Path, new: Path, sibling: Path) -> bool:
    """Replace a folder by a new one inside it; return False if that is impossible.

    It is for a mount point, and on file systems that cannot exchange folders.
    """
    try:
        new.rename(sibling)
    except OSError:
        return False
    try:
        exchange(sibling, folder)
    except OSError:
        sibling.rename(new)
        return False
    # Now the earlier content.
    shutil.rmtree(sibling)
    return True


def _fill(folder: Path, new: Path) -> None:
    """Move a model into a folder in place of an earlier one, or what is left of it."""
    written = _read_manifest(folder)
    (folder / _LAST).unlink(missing_ok=True)
    for name in _files_of(folder):
        if name != MANIFEST and (name in written or _is_of_viewer(name, written)):
            (folder / name).unlink()
    for path in folder.iterdir():
        is_used = path.name in (_UNFINISHED, _LOCK)
        if path.is_dir() and not is_used and not _files_of(path):
            shutil.rmtree(path)
    for path in sorted(new.iterdir(), key=_place_in_order):
        path.replace(folder / path.name)
    # The last step, since it shows that the saving is complete.
    new.rmdir()


def _place_in_order(path: Path) -> int:
    return (path.name != _FIRST) + (path.name == _LAST)


def _read_manifest(folder: Path) -> frozenset[str]:
    """Return the relative paths of the files that an earlier call has written."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        return frozenset(map(str, content["files"]))
    # A file of somebody else may have any content.
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return frozenset()


def _files_of(folder: Path) -> list[str]:
    """Return the relative paths of files and links, also while others change them."""
    found = []
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        found += [Path(parent, name) for name in (*files, *links)]
    return [path.relative_to(folder).as_posix() for path in found]


def _is_own(name: str, written: frozenset[str]) -> bool:
    is_unfinished = name.split("/")[0] == _UNFINISHED
    return name in written or is_unfinished or _is_of_viewer(name, written)


def _is_of_viewer(name: str, written: frozenset[str]) -> bool:
    """Tell whether a viewer has left a file; it may copy only what was written."""
    path = PurePosixPath(name)
    folder = path.parent
    if folder.name != _COPIES_OF_JUPYTER:
        return path.name in _LEFT_BY_VIEWERS
    original = path.stem.removesuffix("-checkpoint") + path.suffix
    return (folder.parent / original).as_posix() in written
