"""What estimators accept as sentences of words and as their tags."""

import re
from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sklearn_bert._inputs import Sentences
from sklearn_bert._target_validation import check_there
from sklearn_bert._validation import (
    N_SHOWN,
    check_some,
    is_missing,
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
    check_some(rows, X)
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


def check_tags(y: Any, sentences: Sentences, estimator: Any) -> np.ndarray:
    """Read y as one list of tags per sentence, with one tag per word.

    Parameters
    ----------
    y : array-like of list
    sentences : Sentences
        What y belongs to.
    estimator : object
        Named in errors.

    Returns
    -------
    ndarray of shape (n_sentences,), dtype object
        Of lists.

    Raises
    ------
    ValueError
        If lists are missing, or have other lengths than the sentences, or if a tag is
        neither str nor int.
    """
    check_there(y, estimator, "list of tags")
    check_consistent_length(sentences.words, y)
    rows = _rows_of_tags(y)
    for row, tags in enumerate(rows):
        if isinstance(tags, str | bytes) or not isinstance(tags, Iterable):
            raise ValueError(
                "y must hold a list of tags for each sentence, with one tag for each "
                f"word. Got {show(tags)} in row {row}. If X and y are a single "
                "sentence, put them into lists: [words] and [tags]."
            )
    lists = [tags.tolist() if hasattr(tags, "tolist") else list(tags) for tags in rows]
    _check_lengths(lists, sentences)
    _check_kinds(lists)
    return as_objects(lists)


def _rows_of_tags(y: Any) -> list[Any]:
    """Return the rows of a collection, or of a frame's only column."""
    n_columns = len(getattr(y, "columns", [y]))
    if n_columns != 1:
        raise ValueError(
            f"y must be one column of lists of tags. Got {n_columns} columns. Select "
            "the column."
        )
    return rows_of(y) if hasattr(y, "columns") else list(y)


def as_objects(rows: list[Any]) -> np.ndarray:
    """Return lists as an array of objects, whatever their lengths."""
    array = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        array[place] = row
    return array


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


def _check_lengths(tags: list[list[Any]], sentences: Sentences) -> None:
    wrong = [
        (row, len(some), n_words)
        for row, (some, n_words) in enumerate(zip(tags, sentences.lengths, strict=True))
        if len(some) != n_words
    ]
    if wrong:
        row, n_tags, n_words = wrong[0]
        raise ValueError(
            f"y must hold one tag for each word. Got {n_tags} tags for {n_words} words "
            f"in sentence {row}: {len(wrong)} of {len(tags)} sentences differ. Tag "
            "the words as X has them, or correct the lists."
        )


def _check_kinds(tags: list[list[Any]]) -> None:
    first = next((type(tag) for some in tags for tag in some), str)
    kind = str if issubclass(first, str) else Integral
    for row, some in enumerate(tags):
        for place, tag in enumerate(some):
            if is_missing(tag):
                raise ValueError(
                    f"Input y contains NaN. The tag of word {place} of sentence {row} "
                    "is missing. Drop the sentence, or give the word a tag."
                )
            if not isinstance(tag, kind):
                raise ValueError(
                    "y must hold tags that are all texts (str) or all int. Got "
                    f"{show(tag)} for word {place} of sentence {row}. Turn tags into "
                    "texts with str."
                )
