"""Uploads to the Hub.

The only file that writes to the Hub. huggingface_hub is imported inside functions, see
:mod:`sklearn_bert._engine.checkpoints.files.hub`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sklearn_bert._engine.checkpoints.files.names import (
    OF_THE_WHOLE,
    PATTERNS,
    PICKLES,
)
from sklearn_bert._engine.export.encoder import HEAD
from sklearn_bert._engine.export.hub_errors import (
    check_private,
    check_token,
    explain,
)
from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock

# What a model of another layout leaves in a repository would be read with the new one.
_OF_A_MODEL = (*PATTERNS, *OF_THE_WHOLE, PICKLES, HEAD)
# How long the first answer may take.
_SECONDS = 30.0
# The settings of huggingface_hub are global: one thread at a time may change them.
_SETTINGS = ForkSafeLock()


class Repository:
    """A model repository on the Hub, which need not exist.

    Parameters
    ----------
    name : str
        With or without the name of its owner, by default the owner of the token.
    token : str or None
        None uses the token of the login.

    Attributes
    ----------
    id : str
        The name with its owner.

    Raises
    ------
    ValueError
        If the name or the token cannot be one.
    HubError
        If there is no token, or it is refused.
    """

    def __init__(self, name: str, token: str | None):
        from huggingface_hub import HfApi, get_token
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id

        try:
            validate_repo_id(name)
        except HFValidationError:
            raise ValueError(
                "repo_id must be the name of a model on the Hub, 'owner/name' or "
                "'name', of letters, digits, '-', '_' and '.'. Got "
                f"{name!r}. Correct the name."
            ) from None
        self.id = name
        self._token = check_token(get_token() if token is None else token)
        self._api = HfApi(token=self._token, library_name="sklearn-bert")
        if "/" not in name:
            with self._connected():
                self.id = f"{self._api.whoami()['name']}/{name}"

    def push(
        self, folder: Path, *, private: bool | None, revision: str | None, message: str
    ) -> str:
        """Upload a folder in one commit, and return its hash.

        Files of an earlier model that the folder does not have are removed in the same
        commit; others, such as images of a model card, remain.

        Parameters
        ----------
        folder : pathlib.Path
        private : bool or None
            Whether a new repository is private. None leaves it to the Hub.
        revision : str or None
            The branch, which is created from the main branch if it does not exist.
        message : str
            The first line of the commit.

        Returns
        -------
        str

        Raises
        ------
        HubError
            If the Hub cannot be reached or refuses the upload, or if the repository is
            public and should be private. The repository is as before.
        """
        with self._connected():
            before = self._find_or_create(private, revision)
            # Not upload_folder, which may divide a folder into several commits.
            commit = self._api.create_commit(
                self.id,
                _operations(folder, [one.rfilename for one in before.siblings or []]),
                commit_message=message,
                revision=revision,
                # The commit fails if there is another one by now.
                parent_commit=before.sha,
            )
        return commit.oid

    def _find_or_create(self, private: bool | None, revision: str | None) -> Any:
        """Return what is in the repository, or in the branch, which then exists.

        Nothing is created in a public repository that should be private.
        """
        from huggingface_hub.errors import (
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        def find(branch: str | None) -> Any:
            found = self._api.model_info(self.id, revision=branch, timeout=_SECONDS)
            check_private(self.id, private, is_private=bool(found.private))
            return found

        # The other calls of the client wait without limit, so this one comes first.
        try:
            return find(revision)
        except RepositoryNotFoundError:
            self._api.create_repo(self.id, private=private, exist_ok=True)
        except RevisionNotFoundError:
            pass
        if revision is not None:
            find(None)
            self._api.create_branch(self.id, branch=revision, exist_ok=True)
        return find(revision)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Print nothing, and explain errors without the token."""
        with _silently():
            try:
                yield
            # Of the network, of the Hub, of its storage; each has classes of its own.
            except Exception as error:
                raise explain(error, self.id, self._token) from None


def _operations(folder: Path, present: list[str]) -> list[Any]:
    """Return the additions and deletions of a commit."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    stale = [name for name in present if name not in files and _is_of_a_model(name)]
    return [
        *(CommitOperationDelete(name) for name in stale),
        *(CommitOperationAdd(name, path) for name, path in files.items()),
    ]


def _is_of_a_model(name: str) -> bool:
    # Folders of modules are not read unless a file of the whole model lists them.
    return "/" not in name and any(fnmatchcase(name, one) for one in _OF_A_MODEL)


@contextmanager
def _silently() -> Iterator[None]:
    """Suppress progress bars and messages of huggingface_hub."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
    )

    with _SETTINGS.current:
        verbosity = logging.get_verbosity()
        had_bars = not are_progress_bars_disabled()
        logging.set_verbosity_error()
        if had_bars:
            disable_progress_bars()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if had_bars:
                enable_progress_bars()
