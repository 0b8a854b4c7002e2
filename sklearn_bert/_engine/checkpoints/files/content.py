"""The content of the JSON files of a checkpoint, and the error about a damaged one."""

import hashlib
import json
from typing import Any

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.disk import (
    UnreadableFileError,
    damaged,
    read_file,
)
from sklearn_bert.exceptions import CheckpointError


def read_bytes(files: CheckpointFiles, name: str) -> bytes | None:
    """Return the content of a file with the digest of ``files``; None without one."""
    if name not in files.digests:
        return None
    try:
        content = read_file(files.folder, name)
    except UnreadableFileError as error:
        raise broken(files, str(error)) from error
    if hashlib.sha256(content).hexdigest() != files.digests[name]:
        raise changed(files, name)
    return content


def read_json(files: CheckpointFiles, name: str) -> dict[str, Any]:
    """Return the object in a JSON file; empty if the file does not exist."""
    read = read_bytes(files, name)
    if read is None:
        return {}
    try:
        content = json.loads(read.decode())
    except (ValueError, RecursionError) as error:
        raise broken(
            files, f"has a {name} that cannot be read ({reason(error)})"
        ) from error
    if not isinstance(content, dict):
        raise broken(files, f"has a {name} that is not a JSON object")
    return content


def changed(files: CheckpointFiles, name: str) -> CheckpointError:
    """Return the error about a file that is not the one that was hashed."""
    return broken(files, f"has a {name} that changed while it was read")


def broken(files: CheckpointFiles, what: str) -> CheckpointError:
    """Return the error about a damaged checkpoint."""
    return damaged(files.model, files.folder, what)


def reason(error: BaseException) -> str:
    """Return the first line of an error message, or the error class if it is empty."""
    return str(error).strip().split("\n")[0] or type(error).__name__
