"""Estimators in repositories of the Hugging Face Hub."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sklearn_bert._engine.export.hub import Repository
from sklearn_bert._sharing.parameters import name_of
from sklearn_bert._sharing.pretrained import write_with_card
from sklearn_bert._sharing.scores import check_scores
from sklearn_bert._sharing.usage import Place
from sklearn_bert._sklearn_compat import validate_parameter_constraints

# Not the token, which an error would show.
_CONSTRAINTS = {
    "repo_id": [str],
    "private": ["boolean", None],
    "revision": [str, None],
    "commit_message": [str, None],
}


def push_to_hub(
    estimator: Any,
    repo_id: Any,
    *,
    private: Any,
    token: Any,
    revision: Any,
    commit_message: Any,
    scores: Any,
) -> str:
    """Upload the folder of an estimator in one commit, and return its hash.

    Parameters
    ----------
    estimator : BaseBert
        Fitted, with validated parameters.
    repo_id : str
    private : bool or None
    token, revision, commit_message : str or None
    scores : dict of str to float, or None
        For the model card.

    Returns
    -------
    str

    Raises
    ------
    HubError
        If there is no token, the Hub cannot be reached, or it refuses the upload.
    ValueError
        If a parameter is not valid.
    """
    params = {
        "repo_id": repo_id,
        "private": private,
        "revision": revision,
        "commit_message": commit_message,
    }
    caller = f"{type(estimator).__name__}.push_to_hub"
    validate_parameter_constraints(_CONSTRAINTS, params, caller_name=caller)
    scores = check_scores(scores)
    # Before anything is written: most mistakes are in the name or the token.
    repository = Repository(repo_id, token)
    with TemporaryDirectory() as folder:
        place = Place(repository.id, revision)
        write_with_card(estimator, Path(folder), place, scores)
        return repository.push(
            Path(folder),
            private=private,
            revision=revision,
            message=commit_message or f"Upload {name_of(estimator)}",
        )
