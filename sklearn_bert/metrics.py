"""Metrics for sequence tagging, computed by seqeval (the extra ``ner``)."""

from numbers import Real

from sklearn.metrics import make_scorer

from sklearn_bert._sklearn_compat import Options, StrOptions, validate_params

__all__ = ["entity_f1_score", "entity_f1_scorer"]


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "average": [StrOptions({"micro", "macro", "weighted"})],
        "zero_division": [Options(Real, {0, 1})],
    },
    prefer_skip_nested_validation=True,
)
def entity_f1_score(y_true, y_pred, *, average="micro", zero_division=0):
    """F1 score of entities, which count only if type and boundaries are correct.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), of lists of str
        True BIO tags of the words of each sentence.

    y_pred : array-like of shape (n_samples,), of lists of str
        Predicted BIO tags of the words of each sentence.

    average : {"micro", "macro", "weighted"}, default="micro"
        "micro" averages over all entities. "macro" is the unweighted mean over the
        entity types, and "weighted" weights each type by its number of true entities.

    zero_division : {0, 1}, default=0
        The score if there are no entities.

    Returns
    -------
    score : float
        F1 score between 0 and 1. An "I-" tag that continues no entity starts one, as
        in the evaluation script of the CoNLL-2000 and 2003 shared tasks.

    Raises
    ------
    ImportError
        If seqeval is not installed.
    ValueError
        If a row is a single tag instead of a list of tags.

    Examples
    --------
    >>> from sklearn_bert.metrics import entity_f1_score
    >>> y_true = [["B-person", "I-person", "O"], ["O", "B-place"]]
    >>> y_pred = [["B-person", "O", "O"], ["O", "B-place"]]
    >>> entity_f1_score(y_true, y_pred)
    0.5
    """
    try:
        from seqeval.metrics import f1_score
    except ImportError as error:
        raise ImportError(
            "entity_f1_score needs the package seqeval, which is not installed. "
            "Install it with: pip install seqeval"
        ) from error
    true, predicted = _read_tags("y_true", y_true), _read_tags("y_pred", y_pred)
    score = f1_score(true, predicted, average=average, zero_division=zero_division)
    return float(score)


def _read_tags(name, lists):
    """Return the tags of each sentence as plain str."""
    for row, tags in enumerate(lists):
        if isinstance(tags, str):
            raise ValueError(
                f"{name} must contain a list of tags for each sentence. Got {tags!r} "
                f"(str) in row {row}. Put the tags of each sentence into a list."
            )
    return [list(map(str, tags)) for tags in lists]


entity_f1_scorer = make_scorer(entity_f1_score)
"""Scorer for `cross_validate`, `GridSearchCV` and the `scoring` parameter."""
