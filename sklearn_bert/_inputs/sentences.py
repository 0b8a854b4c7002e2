"""What estimators accept as sentences of words and as their tags."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from sklearn_bert._engine.text.inputs import Sentences
from sklearn_bert._inputs.texts import (
    N_SHOWN,
    check_not_empty,
    remedy,
    repair,
    rows_of,
    show,
)
from sklearn_bert.exceptions import InputError

# Runs of letters and digits, which an apostrophe, a full stop or a hyphen may join, and
# every other character by itself.
WORD = re.compile(r"\w+(?:['’.-]\w+)*|[^\w\s]")

WordTokenizer = Callable[[str], list[str]] | None


_FOR_NUMBERS = (
    "Leave numbers and their tags out, or turn them into texts if that is meant: "
    "[[str(word) for word in words] for words in X]."
)


def check_sentences(X: Any, word_tokenizer: WordTokenizer = None) -> Sentences:
    """Read X as sentences of words, or as texts that are split into words.

    Parameters
    ----------
    X : list, tuple, array, Series, one-column frame or iterable
        Of lists of str, or of str.
    word_tokenizer : callable or None
        Splits a text. None finds the words by :data:`WORD`.

    Returns
    -------
    Sentences

    Raises
    ------
    InputError
        If X is neither, or has no row.
    """
    rows = rows_of(X)
    check_not_empty(rows, X)
    is_text = [isinstance(row, str) for row in rows]
    if any(is_text) and not all(is_text):
        row = is_text.index(not is_text[0])
        raise InputError(
            "X must hold a list of words in every row, or a text (str) in every row. "
            f"Got {show(rows[0])} in row 0 and {show(rows[row])} in row {row}. Make "
            "all rows alike."
        )
    if any(is_text):
        split = WORD.findall if word_tokenizer is None else word_tokenizer
        words = [_split(text, split) for text in repair(rows)]
    else:
        words = [_listed(row, place) for place, row in enumerate(rows)]
        _check_all_words(words)
    return Sentences(_repaired(words))


def _split(text: str, split: Callable[[str], list[str]]) -> list[str]:
    words = split(text)
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise InputError(
            "word_tokenizer must return a list of words (str) for a text. Got "
            f"{show(words)} for {show(text)}. Return a list, such as text.split() does."
        )
    words = list(words)
    for word in words:
        if not isinstance(word, str):
            raise InputError(
                "word_tokenizer must return words that are texts (str). Got "
                f"{show(word)} for {show(text)}. Return their texts."
            )
    return words


def _listed(row: Any, place: int) -> list[Any]:
    if isinstance(row, dict | set | frozenset | bytes) or not isinstance(row, Iterable):
        about_complex = "Complex data not supported. " * isinstance(row, complex)
        raise InputError(
            "X must hold a list of words, or a text (str), in every row. Got "
            f"{show(row)} in row {place}. {about_complex}Give lists of words: "
            "[['a', 'word'], ...]."
        )
    return row.tolist() if hasattr(row, "tolist") else list(row)


def _check_all_words(words: list[list[Any]]) -> None:
    bad = [
        (row, place, word)
        for row, sentence in enumerate(words)
        for place, word in enumerate(sentence)
        if not isinstance(word, str)
    ]
    if not bad:
        return
    shown = ", ".join(
        f"{show(word)} in sentence {row}, word {place}"
        for row, place, word in bad[:N_SHOWN]
    )
    if len(bad) > N_SHOWN:
        shown += ", ..."
    n_rows = len({row for row, _, _ in bad})
    raise InputError(
        f"X must hold only lists of words (str). Got {shown}: {n_rows} of {len(words)} "
        "sentences have values that are not words. "
        f"{remedy([word for _, _, word in bad], _FOR_NUMBERS)}"
    )


def _repaired(words: list[list[str]]) -> list[list[str]]:
    flat = iter(repair([word for sentence in words for word in sentence], "words"))
    return [[next(flat) for _ in sentence] for sentence in words]
