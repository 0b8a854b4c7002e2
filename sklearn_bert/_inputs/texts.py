"""Validation of texts and pairs of texts."""

from typing import Any

from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._inputs.columns import check_not_empty, columns_of
from sklearn_bert._inputs.values import TEXTS, check_all_str, fill_missing, repair


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
    return _check(X, missing, allows_pairs=True)


def check_column(X: Any, *, missing: str = "error") -> list[str]:
    """Validate X as texts, not pairs."""
    return _check(X, missing, allows_pairs=False).first


def _check(X: Any, missing: str, *, allows_pairs: bool) -> Texts:
    columns = columns_of(X, allows_pairs=allows_pairs)
    check_not_empty(columns[0], X)
    pairs = zip(*columns, strict=True)
    check_all_str(pairs, len(columns[0]), TEXTS, missing=missing)
    return Texts(*(repair(fill_missing(column), TEXTS) for column in columns))
