"""Scores of sequences of tags, through the package seqeval (the extra ``ner``)."""

from sklearn.metrics import make_scorer

from sklearn_bert._params.shared import Options, Real, StrOptions, validate_params

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
    """F1 of whole entities: one counts only if its type and its borders are right.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), of lists of str
        The right BIO tags of each sentence's words.

    y_pred : array-like of shape (n_samples,), of lists of str
        The predicted ones.

    average : {"micro", "macro", "weighted"}, default="micro"
        Over all entities alike, or over the types, each with the same weight or with
        that of its number.

    zero_division : {0, 1}, default=0
        The score where there is no entity.

    Returns
    -------
    score : float
        Between 0 and 1. An "I-" that goes on with nothing begins an entity, as in the
        script that the CoNLL-2000 and 2003 shared tasks were scored with.

    Raises
    ------
    ImportError
        If seqeval is not installed.
    ValueError
        If a row is a tag, and not a list of tags.

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
                f"{name} must hold a list of tags for each sentence. Got {tags!r} "
                f"(str) in row {row}. Put the tags of each sentence into a list."
            )
    return [list(map(str, tags)) for tags in lists]


entity_f1_scorer = make_scorer(entity_f1_score)
"""Scorer for `cross_validate`, `GridSearchCV` and `scoring` of early stopping."""
