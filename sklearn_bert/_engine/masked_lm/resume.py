"""Where a long training stands, kept in one file that is whole at every moment.

A file is written beside, forced to the disk, and renamed over the last one. Whoever
kills the process meanwhile leaves the last one.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sklearn_bert.exceptions import ResumeError

_NAME = "pretraining.safetensors"
_FORMAT = 2


@dataclass(frozen=True)
class SavedTraining:
    """What a file holds.

    Attributes
    ----------
    tensors : dict of str to Tensor
    progress : dict of str to object
        Numbers, in JSON's types.
    """

    tensors: dict[str, Tensor]
    progress: dict[str, Any]


class TrainingFile:
    """The file in which one training is kept.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    identity : dict of str to object
        What must be the same for a training to go on, in JSON's types.

    Raises
    ------
    ResumeError
        If ``folder`` is a file.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        if folder.exists() and not folder.is_dir():
            raise ResumeError(
                f"checkpoint_dir must be a folder, or not exist. Got {str(folder)!r}, "
                "which is a file. Give another path."
            )
        self._folder = folder
        self._path = folder / _NAME
        self._identity = identity

    def load(self) -> SavedTraining | None:
        """Return what was saved, None if nothing was.

        Raises
        ------
        ResumeError
            If it belongs to another training, or is damaged.
        """
        if not self._path.exists():
            return None
        try:
            with safe_open(self._path, framework="pt") as file:
                content = json.loads(file.metadata()["training"])
                # It has keys, but is no mapping that one could go through.
                names = file.keys()
                # Copies, since what is mapped could not be replaced on Windows.
                tensors = {name: file.get_tensor(name).clone() for name in names}
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise ResumeError(
                f"The file {self._path} must hold a training that was saved. It cannot "
                f"be read ({error}). Remove it to train from the beginning."
            ) from error
        self._check(content)
        return SavedTraining(tensors, content["progress"])

    def _check(self, content: dict[str, Any]) -> None:
        saved = {"format": content.get("format"), **content.get("identity", {})}
        asked = {"format": _FORMAT, **self._identity}
        changed = sorted(
            name for name in {*saved, *asked} if saved.get(name) != asked.get(name)
        )
        if changed:
            what = ", ".join(
                f"{name} was {saved.get(name)!r} and is {asked.get(name)!r}"
                for name in changed
            )
            raise ResumeError(
                "A fit goes on from checkpoint_dir only with the same parameters and "
                f"texts. Got {str(self._folder)!r}, where {what}. Restore them, or "
                "give another folder to train from the beginning."
            )

    def save(self, saved: SavedTraining) -> None:
        """Keep a training in the place of the last one."""
        content = {
            "format": _FORMAT,
            "identity": self._identity,
            "progress": saved.progress,
        }
        metadata = {"training": json.dumps(content)}

        def write(path: Path) -> None:
            save_file(saved.tensors, path, metadata)

        self._folder.mkdir(parents=True, exist_ok=True)
        replace_file(self._path, write)


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file so that it is the old one or the new one, whole, at every moment.

    Parameters
    ----------
    path : pathlib.Path
    write : callable
        Writes the new content to the path that it is given.
    """
    # Always the same name, so that what a kill leaves behind is overwritten.
    beside = path.with_name(f".{path.name}.part")
    try:
        write(beside)
        _force_to_disk(beside)
        os.replace(beside, path)
        _force_to_disk(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _force_to_disk(path: Path) -> None:
    # On Windows folders cannot be opened, nor files be forced that are read only.
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clone_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return contiguous copies on the CPU, which share nothing."""
    return {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in tensors.items()
    }
