"""Which checkpoint a fit used, and whether another one is that checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from sklearn_bert._engine.checkpoints.earlier import find_new_settings
from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.source import Source, digests_of
from sklearn_bert.exceptions import CheckpointMismatchError

# scikit-learn's HTML of an estimator cuts the middle out of a longer one.
_LONGEST_REPR = 30


@dataclass(frozen=True)
class CheckpointRecord:
    """Which checkpoint an estimator was fitted with; goes into its pickle.

    Attributes
    ----------
    model : str
        The Hub id or the folder asked for, or the name of the estimator's class.
    revision : str or None
        The branch, tag or commit asked for.
    commit : str or None
        The Hub's 40-digit commit that was used, where it is known.
    source : {"directory", "bundle", "cache", "hub", "estimator"}
        Where the files were found, or that the model was a fitted estimator.
    digests : dict of str to str
        SHA-256 of each file that was read, by name, or of the estimator's weights.
    is_complete : bool
        Whether all files that are read now were read then. False in older pickles.
    """

    model: str
    revision: str | None
    commit: str | None
    source: str
    digests: dict[str, str]
    is_complete: bool = False

    def __repr__(self) -> str:
        name = PurePath(self.model).name or self.model
        end = "" if self.commit is None else f"@{self.commit[:7]}"
        room = _LONGEST_REPR - len(f"<{end}>")
        if len(name) > room:
            name = f"{name[: room - 3]}..."
        return f"<{name}{end}>"


def record_of(source: Source, model: str, revision: str | None) -> CheckpointRecord:
    """Return the record of a source; other parameters as the record's attributes."""
    commit, place = None, "estimator"
    if isinstance(source, CheckpointFiles):
        commit, place = source.commit, source.source
    digests = digests_of(source)
    return CheckpointRecord(model, revision, commit, place, digests, is_complete=True)


def find_again(record: CheckpointRecord, of_estimator: Callable[[], Source]) -> Source:
    """Return the source of a record.

    On the Hub it is found by its commit, since its branch may contain another one now.
    The name of a folder that is gone is not looked for there.

    Parameters
    ----------
    record : CheckpointRecord
    of_estimator : callable
        Returns the source if the model was a fitted estimator.

    Returns
    -------
    Source

    Raises
    ------
    CheckpointError
        If it is not found, or has changed.
    ValueError
        If a folder is now in the place of a model on the Hub.
    """
    if record.source == "estimator":
        source = of_estimator()
    else:
        is_folder = record.source == "directory"
        revision = record.commit or record.revision
        source = locate(record.model, revision, may_download=not is_folder)
    check_same_source(source, record)
    return source


def _changes_vectors(name: str) -> bool:
    """Tell whether a file that earlier versions did not read may change the vectors.

    These are the files of modules, which are in folders. Normalize has no weights, and
    applies only if it is asked for, or before a module with weights.
    """
    return "/" in name and not name.endswith("_Normalize/config.json")


def check_same_source(source: Source, record: CheckpointRecord) -> None:
    """Refuse a source that has changed since it was recorded.

    Parameters
    ----------
    source : Source
        Of the model and the revision of the record.
    record : CheckpointRecord

    Raises
    ------
    CheckpointMismatchError
        If a file is missing, new or different, or if the fit did not read a setting
        that changes the features; the message names each.
    """
    found, fitted = digests_of(source), record.digests
    changed = [
        f"{name} is missing"
        if name not in found
        else f"{name} is new"
        if name not in fitted
        else f"{name} differs"
        for name in sorted({*found, *fitted})
        if found.get(name) != fitted.get(name)
        and (name in fitted or record.is_complete or _changes_vectors(name))
    ]
    if not changed:
        _check_same_settings(source, record)
        return
    pin = f"pin revision={record.commit!r}, " if record.commit else ""
    place = f" in {source.folder}" if isinstance(source, CheckpointFiles) else ""
    raise CheckpointMismatchError(
        "The model must be the one that the estimator was fitted with. Got "
        f"{record.model!r}{place}, where {', '.join(changed)}. Restore the model, "
        f"{pin}or fit again."
    )


def _check_same_settings(source: Source, record: CheckpointRecord) -> None:
    """Refuse settings of the same files that an earlier version did not read."""
    if record.is_complete or not isinstance(source, CheckpointFiles):
        return
    if new := find_new_settings(source, record.digests):
        raise CheckpointMismatchError(
            "An estimator must be fitted with every setting of its model that changes "
            "the features. Got an estimator of an earlier version and "
            f"{record.model!r} in {source.folder}, of which {', '.join(new)} was not "
            "read then. Fit again."
        )
