"""The model that an estimator was trained from, and its license."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn_bert._engine.checkpoints.files.bundle import find_bundle_folder
from sklearn_bert._engine.checkpoints.files.disk import UnreadableFileError, read_file
from sklearn_bert._engine.checkpoints.files.hub import find_snapshot
from sklearn_bert._engine.checkpoints.files.names import README
from sklearn_bert._engine.checkpoints.record import CheckpointRecord
from sklearn_bert._engine.export.metadata import read_metadata

# The keys of a model card's metadata that state a license.
_LICENSE_KEYS = ("license", "license_name", "license_link")
_LONGEST = 200


@dataclass(frozen=True)
class BaseModel:
    """The model that training started from.

    Attributes
    ----------
    name : str
        The Hub id, or the last component of the path of a folder: the rest of the path
        describes the machine. Empty if there is none.
    is_on_hub : bool
        Whether the name is a Hub id.
    commit : str or None
        The commit on the Hub, if known.
    license : dict of str to str
        The license that the model card of the model states, as metadata of a model
        card. Empty if it states none, or there is none on this machine.
    """

    name: str
    is_on_hub: bool
    commit: str | None
    license: dict[str, str]


def describe_base(record: CheckpointRecord) -> BaseModel:
    """Return what is known about the checkpoint of a record on this machine."""
    is_on_hub = record.source != "directory"
    name = record.model if is_on_hub else last_component(record.model)
    folder = _folder_of(record)
    license = {} if folder is None else read_license(folder)
    return BaseModel(name, is_on_hub, record.commit, license)


def read_license(folder: Path) -> dict[str, str]:
    """Return the license in the model card of a folder; empty without one."""
    try:
        content = read_file(folder, README)
    except UnreadableFileError:
        return {}
    metadata = read_metadata(content.decode(errors="replace"))
    found = {key: metadata.get(key, "") for key in _LICENSE_KEYS}
    return {key: value for key, value in found.items() if _is_statement(key, value)}


def _is_statement(key: str, value: Any) -> bool:
    """Tell whether a value of somebody else's model card can be repeated."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        return False
    # A relative link is to a file that is not copied.
    is_link = value.startswith("https://")
    return value.isprintable() and is_link == (key == "license_link")


def last_component(path: str) -> str:
    """Return the name of a folder on any system; empty if the path ends without one."""
    *_, name = re.split(r"[\\/]", path.rstrip("\\/"))
    return "" if name in (".", "..", "~") else name


def _folder_of(record: CheckpointRecord) -> Path | None:
    if record.source == "directory":
        return Path(record.model).expanduser()
    if record.source == "bundle":
        return find_bundle_folder(record.model)
    return find_snapshot(record.model, record.commit)
