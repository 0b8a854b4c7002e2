"""Metrics for sequence tagging, computed by seqeval (the extra ``ner``)."""

import warnings
from collections.abc import Iterable
from functools import partial
from numbers import Real

from sklearn.metrics import make_scorer

from sklearn_bert._config import quote, shows_values
from sklearn_bert._sklearn_compat import Options, StrOptions, validate_params
from sklearn_bert._warnings import warn_user

# The end of a warning of seqeval, which starts with the tag.
_NOT_A_TAG = "seems not to be NE tag"

__all__ = ["entity_f1_score", "entity_f1_scorer"]


@validate_params(
    {
        # Read below, since scikit-learn's error would quote them.
        "y_true": "no_validation",
        "y_pred": "no_validation",
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
    score = partial(f1_score, average=average, zero_division=zero_division)
    if shows_values():
        return float(score(true, predicted))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = float(score(true, predicted))
    for one in caught:
        is_quoting = _NOT_A_TAG in str(one.message)
        message = f"A tag {_NOT_A_TAG}." if is_quoting else str(one.message)
        warn_user(message, one.category)
    return result


def _read_tags(name, lists):
    """Return the tags of each sentence as plain str."""
    is_collection = isinstance(lists, Iterable) and not isinstance(lists, str | bytes)
    for row, tags in enumerate(lists if is_collection else [lists]):
        if isinstance(tags, str | bytes) or not isinstance(tags, Iterable):
            raise ValueError(
                f"{name} must contain a list of tags for each sentence. Got "
                f"{quote(tags)} ({type(tags).__name__}) in row {row}. Put the tags of "
                "each sentence into a list."
            )
    return [list(map(str, tags)) for tags in lists]


entity_f1_scorer = make_scorer(entity_f1_score)
"""Scorer for `cross_validate`, `GridSearchCV` and the `scoring` parameter."""
