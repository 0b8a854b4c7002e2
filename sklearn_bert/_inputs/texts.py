"""Validation of texts and pairs of texts."""

from typing import Any

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._inputs.columns import check_not_empty, columns_of
from sklearn_bert._inputs.values import TEXTS, check_all_str, fill_missing, repair
from sklearn_bert.exceptions import InputError


def check_texts(X: Any, *, missing: str = "error") -> Texts:
    """Validate X as texts or pairs of texts, matched by position.

    Parameters
    ----------
    X : list, tuple, array, Series, frame, table or iterable
        One or two columns of str.
    missing : {"error", "empty"}
        Whether missing values are refused, or read as empty texts.

    Returns
    -------
    Texts

    Raises
    ------
    InputError
        If X is not one or two columns of str with at least one row.
    """
    columns = columns_of(X)
    check_not_empty(columns[0], X)
    pairs = zip(*columns, strict=True)
    check_all_str(pairs, len(columns[0]), TEXTS, missing=missing)
    return Texts(*(repair(fill_missing(column), TEXTS) for column in columns))


def check_column(X: Any, *, missing: str = "error") -> list[str]:
    """Validate X as texts, not pairs."""
    texts = check_texts(X, missing=missing)
    if texts.second is not None:
        raise InputError(
            "X must have one column of texts. Got two. Select one of them, or join the "
            "two into one column."
        )
    return texts.first
