"""The files of a checkpoint on this machine, with their checksums."""

from dataclasses import dataclass, field
from pathlib import Path

from sklearn_bert._engine.checkpoints.files.disk import (
    UnreadableFileError,
    damaged,
    sha256_of,
)
from sklearn_bert._engine.checkpoints.files.module_list import (
    ListedModule,
    folder_of_encoder,
    list_modules,
)
from sklearn_bert._engine.checkpoints.files.names import names_of_files


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


def describe(
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
    return {name: sha256_of(folder, name) for name in names_of_files(folder, modules)}
