"""Validation of sentences, and their splitting into words."""

import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sklearn_bert._engine.runtime.rows import name_row
from sklearn_bert._engine.text.inputs import Sentences
from sklearn_bert._inputs.columns import as_list, check_not_empty, rows_of
from sklearn_bert._inputs.values import (
    SENTENCES,
    TEXTS,
    WORDS,
    check_all_str,
    fill_missing,
    is_missing,
    repair,
    show,
)
from sklearn_bert.exceptions import InputError

WordTokenizer = Callable[[str], list[str]]


def check_sentences(
    X: Any, word_tokenizer: WordTokenizer | None = None, *, missing: str = "error"
) -> Sentences:
    """Validate X as sentences of words, or as texts that are split into words.

    Parameters
    ----------
    X : list, tuple, array, Series, one-column frame or table, or iterable
        Lists of str, or str.
    word_tokenizer : callable or None
        Splits a text. None uses :func:`_word_pattern`.
    missing : {"error", "empty"}
        Whether missing values are refused, or read as sentences without words and as
        empty words.

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
    # None is a missing sentence, among texts or lists of words.
    read = [
        None if missing == "empty" and is_missing(row) else _read_row(row, place)
        for place, row in enumerate(rows)
    ]
    _check_one_form(read)
    split = _word_pattern().findall if word_tokenizer is None else word_tokenizer
    texts = repair([row for row in read if isinstance(row, str)], TEXTS)
    words_of_texts = iter([_split(text, split) for text in texts])
    sentences = [
        next(words_of_texts) if isinstance(row, str) else row or [] for row in read
    ]
    check_all_str(sentences, len(sentences), WORDS, missing=missing)
    filled = [fill_missing(words) for words in sentences]
    repaired = iter(repair(list(chain.from_iterable(filled)), WORDS))
    return Sentences([[next(repaired) for _ in words] for words in filled])


def _check_one_form(rows: Sequence[str | list[Any] | None]) -> None:
    """Raise an error if only some of the rows are texts."""
    present = [(place, row) for place, row in enumerate(rows) if row is not None]
    are_texts = [isinstance(row, str) for _, row in present]
    if len(set(are_texts)) > 1:
        place, row = present[0]
        other, another = present[are_texts.index(not are_texts[0])]
        raise InputError(
            "X must contain a list of words or a text (str) in every row, not both. "
            f"Got {show(row)} in {name_row(place)} and {show(another)} in "
            f"{name_row(other)}. Split the texts into lists of words."
        )


def _read_row(row: Any, place: int) -> str | list[Any]:
    """Return a text, or the words of a row."""
    if isinstance(row, str):
        return row
    words = as_list(row)
    if words is None:
        raise InputError(
            "X must contain a list of words, or a text (str), in every row. Got "
            f"{show(row)} in {name_row(place)}. {SENTENCES.remedy([row])}"
        )
    return words


@cache
def _word_pattern() -> re.Pattern[str]:
    r"""Return the pattern of a word: ``\w+(?:['’.-]\w+)*|[^\w\s]``.

    Runs of letters and digits, which an apostrophe, a period or a hyphen may join, and
    every other character separately. Combining marks and zero-width joiners belong to
    the preceding character.
    """
    characters = map(chr, range(sys.maxunicode + 1))
    marks = "".join(one for one in characters if unicodedata.category(one)[0] == "M")
    marks += "\u200c\u200d"
    word = rf"\w[\w{marks}]*"
    return re.compile(rf"{word}(?:['’.-]{word})*|[^\w\s][{marks}]*")


def _split(text: str, split: WordTokenizer) -> list[str]:
    """Return the words of a text."""
    found = split(text)
    words = as_list(found)
    if words is None or not all(isinstance(word, str) for word in words):
        raise InputError(
            "word_tokenizer must return a list of words (str) for each text. Got "
            f"{show(found)} for {show(text)}. Return a list, such as text.split()."
        )
    return words
