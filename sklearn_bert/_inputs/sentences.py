"""Validation of sentences, and their splitting into words."""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any

from sklearn_bert._engine.text.inputs import Sentences
from sklearn_bert._inputs.columns import as_list, check_not_empty, rows_of
from sklearn_bert._inputs.values import TEXTS, WORDS, check_all_str, repair, show
from sklearn_bert.exceptions import InputError

WordTokenizer = Callable[[str], list[str]]


def check_sentences(X: Any, word_tokenizer: WordTokenizer | None = None) -> Sentences:
    """Validate X as sentences of words, or as texts that are split into words.

    Parameters
    ----------
    X : list, tuple, array, Series, one-column frame or table, or iterable
        Lists of str, or str.
    word_tokenizer : callable or None
        Splits a text. None uses :func:`_word_pattern`.

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
            "X must contain a list of words or a text (str) in every row, not both. "
            f"Got {show(rows[0])} in row 0 and {show(rows[row])} in row {row}. Split "
            "the texts into lists of words."
        )
    if any(is_text):
        split = _word_pattern().findall if word_tokenizer is None else word_tokenizer
        words = [_split(text, split) for text in repair(rows, TEXTS)]
    else:
        words = [_read_words(row, place) for place, row in enumerate(rows)]
        check_all_str(words, len(words), WORDS)
    repaired = iter(repair(list(chain.from_iterable(words)), WORDS))
    return Sentences([[next(repaired) for _ in sentence] for sentence in words])


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


def _read_words(row: Any, place: int) -> list[Any]:
    """Return the words of a row that is not a text."""
    words = as_list(row)
    if words is None:
        about_complex = "Complex data not supported. " * isinstance(row, complex)
        raise InputError(
            "X must contain a list of words, or a text (str), in every row. Got "
            f"{show(row)} in row {place}. {about_complex}Pass lists of words: "
            "[['a', 'word'], ...]."
        )
    return words
