"""Copies of checkpoints with safetensors in place of pickles."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from sklearn_bert._engine.checkpoints.files.disk import (
    UnreadableFileError,
    damaged,
    read_file,
    read_header,
    size_of,
)
from sklearn_bert._engine.checkpoints.files.module_list import list_modules
from sklearn_bert._engine.checkpoints.files.names import (
    PICKLES,
    WEIGHTS_INDEX,
    files_without_weights,
)
from sklearn_bert._engine.conversion import pickled
from sklearn_bert._engine.runtime.memory import device_memory_error
from sklearn_bert.exceptions import CheckpointError

_SECONDS = 1800
_SIGKILL = 9
_PICKLE = re.compile(r"pytorch_model(.*)\.bin")


def convert_folder(model: str, source: Path, target: Path) -> None:
    """Write a copy of a folder whose pickles of weights are safetensors.

    A temporary folder is written and renamed, so that the result is complete or absent.

    Parameters
    ----------
    model : str
        As it was asked for, for the messages.
    source, target : pathlib.Path

    Raises
    ------
    CheckpointError
        If there is no pickle, if one is damaged or contains other things than weights,
        or if the target is not empty.
    DeviceMemoryError
        If a pickle does not fit into memory.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CheckpointError(
            f"folder must not exist, or be an empty folder. Got {str(target)!r}. Give "
            "the name of a new folder."
        )
    pickles = [
        path.relative_to(source).as_posix()
        for place in ("", *sorted(_folders_of_modules(source)))
        for path in sorted((source / place).glob(PICKLES))
    ]
    if not pickles:
        raise CheckpointError(
            "The checkpoint must have weights in pytorch_model.bin. Got model "
            f"{model!r} in {source}, which has none. If it has safetensors, use it as "
            "it is."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{target.name}-", dir=target.parent
    ) as place:
        new = Path(place, "new")
        try:
            for name in files_without_weights(source):
                path = new / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(read_file(source, name))
            for name in pickles:
                _convert(model, source, name, new)
        except UnreadableFileError as error:
            raise damaged(model, source, str(error)) from error
        _write_indexes(new)
        if target.exists():
            target.rmdir()
        os.replace(new, target)


def _folders_of_modules(source: Path) -> set[str]:
    """Return the folders below the checkpoint, listed or not, that may have pickles."""
    listed = {one.folder for one in list_modules(source) if one.folder}
    return listed | {f"{path.name}/" for path in source.iterdir() if path.is_dir()}


def _convert(model: str, source: Path, name: str, new: Path) -> None:
    """Convert one pickle in a child process."""
    path = new / _PICKLE.sub(r"model\1.safetensors", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    size = size_of(source, name)
    arguments = [str(source / name), str(path), str(size)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(
            # -P: the folder of the program is not searched for modules.
            [sys.executable, "-P", pickled.__file__, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        status = done.returncode
        why = done.stderr.strip().split("\n")[-1] or f"the process ended with {status}"
    except subprocess.TimeoutExpired:
        status, why = None, f"it was not read in {_SECONDS} seconds"
    # An operating system that is out of memory kills the process.
    if status in (pickled.OUT_OF_MEMORY, -_SIGKILL):
        raise device_memory_error(
            f"The file {name} of model {model!r}",
            torch.device("cpu"),
            why,
            "Convert it on a machine with more memory, choose a smaller model",
        )
    if status != 0:
        raise CheckpointError(
            f"The file {name} must contain only the weights of a model, which are "
            f"named arrays of numbers. In model {model!r} it cannot be read as weights "
            f"({why}). Download it again, or choose another model."
        )


def _write_indexes(folder: Path) -> None:
    """Write the index of each folder whose weights are in several files."""
    for place in {path.parent for path in folder.rglob("model-*.safetensors")}:
        where = {
            name: path.name
            for path in sorted(place.glob("model-*.safetensors"))
            for name in read_header(place, path.name)
        }
        index = {"metadata": {}, "weight_map": where}
        (place / WEIGHTS_INDEX).write_text(json.dumps(index), encoding="utf-8")
