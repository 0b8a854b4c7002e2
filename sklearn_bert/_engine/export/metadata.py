"""The metadata of model cards, which the Hub reads from the head of a README.md."""

from collections.abc import Mapping
from typing import Any

# The Hub asks for a data set with each score, and this is its word for none.
_NO_DATASET = "unknown"


def read_metadata(card: str) -> dict[str, Any]:
    """Return the metadata of a model card; empty if they cannot be read."""
    from huggingface_hub import RepoCard
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    # Otherwise the class prints a warning.
    if REGEX_YAML_BLOCK.search(card) is None:
        return {}
    try:
        return RepoCard(card).data.to_dict()
    # The file of somebody else may contain anything.
    except Exception:
        return {}


def join_card(
    metadata: Mapping[str, Any],
    text: str,
    *,
    name: str,
    scores: Mapping[str, float] | None = None,
) -> str:
    """Return a model card with metadata in the form of the Hub.

    Parameters
    ----------
    metadata : mapping of str to object
        Values by the keys of the Hub's specification. None leaves a key out.
    text : str
        The card below the metadata, in Markdown.
    name : str
        The name of the model.
    scores : mapping of str to float, or None
        Scores by metric, for a task that has a ``pipeline_tag``.

    Returns
    -------
    str
    """
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type=metadata["pipeline_tag"],
            dataset_type=_NO_DATASET,
            dataset_name=_NO_DATASET,
            metric_type=metric,
            metric_value=score,
        )
        for metric, score in (scores or {}).items()
    ]
    of_results: dict[str, Any] = {}
    if results:
        of_results = {"model_name": name, "eval_results": results}
    data = ModelCardData(**metadata, **of_results)
    return f"---\n{data.to_yaml()}\n---\n\n{text}"
