"""The modules that a checkpoint lists in its modules.json, and where they are."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from reprlib import repr as shorten
from typing import Any

from sklearn_bert._engine.checkpoints.files.disk import read_file

MODULES = "modules.json"
# Public checkpoints have up to six. Every module is read, and its files are hashed.
_MOST_MODULES = 64
# The files that a module after the encoder may have, and those that it must have.
_FILES = ("config.json", "model.safetensors")
_NEEDED = {
    "Pooling": ("config.json",),
    "WeightedLayerPooling": _FILES,
    "Dense": _FILES,
    "LayerNorm": _FILES,
}


@dataclass(frozen=True)
class ListedModule:
    """A module of a sentence-transformers checkpoint.

    Attributes
    ----------
    kind : str
        The path of its class, which is never imported.
    folder : str
        Relative to the checkpoint: empty, or with a slash at the end.
    """

    kind: str
    folder: str

    @property
    def name(self) -> str:
        """The name of its class."""
        return self.kind.rpartition(".")[2]


def list_modules(folder: Path) -> tuple[ListedModule, ...]:
    """Return the modules of a folder.

    There are none without a modules.json, or if it is damaged, which
    :func:`parse_modules` reports when the content with the recorded digest is read.
    """
    if not (folder / MODULES).is_file():
        return ()
    try:
        return parse_modules(read_file(folder, MODULES))
    except ValueError:
        return ()


def parse_modules(content: bytes) -> tuple[ListedModule, ...]:
    """Return the modules in the order in which they run.

    Parameters
    ----------
    content : bytes
        Of a modules.json.

    Returns
    -------
    tuple of ListedModule

    Raises
    ------
    ValueError
        If the content is damaged, or names a folder outside of the checkpoint; the
        message follows "a modules.json that".
    """
    try:
        modules = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"cannot be read ({error})") from error
    if not isinstance(modules, list) or not modules:
        raise ValueError("is not a list of modules")
    if len(modules) > _MOST_MODULES:
        raise ValueError(
            f"lists {len(modules)} modules, and at most {_MOST_MODULES} are read"
        )
    return tuple(map(_read_module, modules))


def _read_module(content: Any) -> ListedModule:
    kind, place = (
        content.get(key) if isinstance(content, dict) else None
        for key in ("type", "path")
    )
    if not isinstance(kind, str) or not isinstance(place, str):
        raise ValueError(f"lists {shorten(content)}, without a type and a path")
    path = PurePosixPath(place)
    if path.is_absolute() or ".." in path.parts or "\\" in place:
        raise ValueError(f"names {place!r}, which is outside of the checkpoint")
    if not place.isprintable():
        raise ValueError(
            f"names {place!r}, which has characters that cannot be printed"
        )
    return ListedModule(kind, "" if path == PurePosixPath() else f"{path}/")


def folder_of_encoder(modules: tuple[ListedModule, ...]) -> str:
    """Return the folder of the first module."""
    return modules[0].folder if modules else ""


def files_of_modules(modules: tuple[ListedModule, ...]) -> list[str]:
    """Return the files that the modules after the encoder may have."""
    return [f"{one.folder}{name}" for one in modules[1:] for name in _FILES]


def needed_files(modules: tuple[ListedModule, ...]) -> list[str]:
    """Return the files without which a module after the encoder cannot be computed."""
    return [
        f"{one.folder}{name}"
        for one in modules[1:]
        for name in _NEEDED.get(one.name, ())
    ]
