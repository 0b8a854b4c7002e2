"""Where a checkpoint is: a folder, the installed bundle, the cache, the Hub."""

import os
from pathlib import Path

from sklearn_bert._engine.checkpoints.files.bundle import find_in_bundle
from sklearn_bert._engine.checkpoints.files.checkpoint_files import (
    CheckpointFiles,
    describe,
)
from sklearn_bert._engine.checkpoints.files.hub import (
    download,
    fetch_from_hub,
    find_in_cache,
    snapshot_with_pickles,
)
from sklearn_bert.exceptions import CheckpointNotFoundError


def locate(
    model: str, revision: str | None, *, may_download: bool = True
) -> CheckpointFiles:
    """Find a checkpoint, on this machine first.

    Parameters
    ----------
    model : str
        A folder or a Hub id.
    revision : str or None
        Branch, tag or commit on the Hub.
    may_download : bool
        Whether to download from the Hub what is not on this machine.

    Returns
    -------
    CheckpointFiles

    Raises
    ------
    CheckpointNotFoundError
        If it is not found; the message lists the locations searched.
    ValueError
        If there is a revision, and the model is a folder.
    """
    folder = _folder_of(model, revision)
    if folder is not None:
        return describe(model, folder, "directory", None)
    files = find_in_bundle(model, revision) or find_in_cache(model, revision)
    if files is not None:
        return files
    if not may_download:
        raise CheckpointNotFoundError(
            f"The model {model!r} must be available on this machine, because nothing "
            f"is downloaded here. Got neither a folder {Path(model).absolute()} nor a "
            "complete copy in the Hugging Face cache. If it is a model on the Hub, "
            "call transform once, which downloads it; if it is a folder, correct the "
            "path."
        )
    return fetch_from_hub(model, revision)


def find_pickles(model: str, revision: str | None) -> Path:
    """Find the folder of a checkpoint whose weights are pickles, or download it.

    Parameters
    ----------
    model, revision : str or None
        As for :func:`locate`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    CheckpointNotFoundError
    ValueError
        As :func:`locate` does.
    """
    return _folder_of(model, revision) or download(
        model, revision, snapshot_with_pickles
    )


def _folder_of(model: str, revision: str | None) -> Path | None:
    """Return an existing folder; None for a Hub id."""
    folder = Path(os.path.expanduser(model))
    if model and folder.is_dir():
        if revision is not None:
            raise ValueError(
                "revision must be None if model is a folder, which has no revisions. "
                f"Got revision={revision!r} for the folder {model!r}. Set "
                "revision=None, or give the id of a model on the Hub."
            )
        return folder.resolve()
    if folder.is_file():
        raise CheckpointNotFoundError(
            "model must be a folder or a Hugging Face model id. Got "
            f"{model!r}, which is a file. Pass its folder {str(folder.parent)!r}, or "
            "read a saved estimator with sklearn_bert.load."
        )
    if _looks_like_a_path(model):
        raise CheckpointNotFoundError(
            "model must be an existing folder or a Hugging Face model id. Got "
            f"{model!r}, but there is no folder {folder.absolute()}. Correct the path, "
            "or use an id such as 'sentence-transformers/all-MiniLM-L6-v2'."
        )
    return None


def _looks_like_a_path(model: str) -> bool:
    return model.startswith((".", "~", os.sep)) or "\\" in model or model.count("/") > 1
