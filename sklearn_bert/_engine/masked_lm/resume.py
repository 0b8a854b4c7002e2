"""The state of a training run in one file, which is replaced atomically."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sklearn_bert._engine.runtime.files import replace_file
from sklearn_bert.exceptions import ResumeError

_NAME = "pretraining.safetensors"
_FORMAT = 2


@dataclass(frozen=True)
class SavedTraining:
    """The saved state of a training run.

    Attributes
    ----------
    tensors : dict of str to Tensor
    progress : dict of str to object
        Numbers, in JSON types.
    """

    tensors: dict[str, Tensor]
    progress: dict[str, Any]


class TrainingFile:
    """The file of one training run.

    Parameters
    ----------
    folder : pathlib.Path
        Created if it does not exist.
    identity : dict of str to object
        Values that must not change if a run is resumed, in JSON types.

    Raises
    ------
    ResumeError
        If ``folder`` is a file.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        if folder.exists() and not folder.is_dir():
            raise ResumeError(
                f"checkpoint_dir must be a folder, or not exist. Got {str(folder)!r}, "
                "which is a file. Choose another path."
            )
        self._folder = folder
        self._path = folder / _NAME
        self._identity = identity

    def load(self) -> SavedTraining | None:
        """Return the saved state, or None if there is none.

        Raises
        ------
        ResumeError
            If it belongs to another run, or is damaged.
        """
        if not self._path.exists():
            return None
        try:
            with safe_open(self._path, framework="pt") as file:
                content = json.loads(file.metadata()["training"])
                # ``file`` has keys, but cannot be iterated over.
                names = file.keys()
                # Copies, since a mapped file cannot be replaced on Windows.
                tensors = {name: file.get_tensor(name).clone() for name in names}
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise ResumeError(
                f"The file {self._path} must contain a saved training run. It cannot "
                f"be read ({error}). Remove it to start over."
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
                "A fit resumes from checkpoint_dir only with the same parameters and "
                f"texts. Got {str(self._folder)!r}, where {what}. Restore them, or "
                "choose another folder to start over."
            )

    def save(self, saved: SavedTraining) -> None:
        """Replace the saved state."""
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


def clone_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return contiguous copies on the CPU, which share no memory."""
    return {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in tensors.items()
    }
