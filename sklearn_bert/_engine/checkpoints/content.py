"""The content of the JSON files of a checkpoint, and the error about a damaged one."""

import json
from typing import Any

from sklearn_bert._engine.checkpoints.locate import CheckpointFiles
from sklearn_bert.exceptions import CheckpointError


def read_json(files: CheckpointFiles, name: str) -> dict[str, Any]:
    """Return the object in a JSON file; empty if the file does not exist."""
    path = files.folder / name
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise broken(
            files, f"has a {name} that cannot be read ({reason(error)})"
        ) from error
    if not isinstance(content, dict):
        raise broken(files, f"has a {name} that is not a JSON object")
    return content


def broken(files: CheckpointFiles, what: str) -> CheckpointError:
    """Return the error about a damaged checkpoint."""
    return CheckpointError(
        f"The checkpoint of model {files.model!r} in {files.folder} {what}. Restore "
        "the folder from its source, or give another model."
    )


def reason(error: BaseException) -> str:
    """Return the first line of an error message, or the error class if it is empty."""
    return str(error).strip().split("\n")[0] or type(error).__name__
