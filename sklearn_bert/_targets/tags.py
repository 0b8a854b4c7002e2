"""Validation of lists of tags, and the target with one class per word."""

from dataclasses import dataclass, fields, replace
from itertools import chain
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sklearn_bert._config import quote
from sklearn_bert._engine.text.inputs import Sentences
from sklearn_bert._inputs.columns import as_list, rows_of
from sklearn_bert._inputs.values import is_missing, show
from sklearn_bert._targets.checks import (
    as_array,
    as_objects,
    check_collection,
    check_not_masked,
    check_plain_text,
    check_y_given,
)
from sklearn_bert._targets.classes import (
    ClassTarget,
    ClassWeight,
    read_classes,
    refuse_unseen,
)

# The label of ignored tokens in Hugging Face data.
_NO_LABEL = -100


@dataclass(frozen=True)
class TagTarget(ClassTarget):
    """A target with sentences as samples and one value per word.

    Attributes
    ----------
    y : ndarray of shape (n_sentences,), dtype object
        Lists of tags.
    values, weights : ndarray of shape (n_words,)
        Values and weights of the words of all sentences.
    strata : ndarray of shape (n_sentences, n_outputs)
        1 where a tag occurs in a sentence.
    lengths : ndarray of shape (n_sentences,)
        Number of words of each sentence.
    """

    lengths: np.ndarray

    @property
    def n_samples(self) -> int:
        """Number of sentences."""
        return len(self.lengths)

    def samples(self) -> np.ndarray:
        """Return the sentences that have a word with a positive weight."""
        owners = np.repeat(np.arange(self.n_samples), self.lengths)
        return np.unique(owners[self.weights > 0])

    def take(self, rows: np.ndarray) -> Self:
        """Return the target of some sentences."""
        stops = np.cumsum(self.lengths)
        words = np.concatenate(
            [np.arange(stops[row] - self.lengths[row], stops[row]) for row in rows]
        )
        return replace(
            self,
            y=self.y[rows],
            values=self.values[words],
            weights=self.weights[words],
            strata=None if self.strata is None else self.strata[rows],
            lengths=self.lengths[rows],
        )

    def in_form_of_y(self, y: np.ndarray) -> np.ndarray:
        """Return the tags of a validation set; all of them must be in training."""
        refuse_unseen(flat_tags(y), self.classes)
        return y


def read_tags(
    y: np.ndarray,
    weights: np.ndarray,
    known: np.ndarray | None,
    class_weight: ClassWeight,
    label_smoothing: float,
) -> TagTarget:
    """Return the target of lists of tags.

    Parameters
    ----------
    y : ndarray of shape (n_sentences,), dtype object
        Lists of tags.
    weights : ndarray of shape (n_sentences,)
        Each word has the weight of its sentence.
    known : ndarray of shape (n_classes,) or None
        All tags, sorted. None uses the tags of y, at least two.
    class_weight : dict, "balanced" or None
    label_smoothing : float

    Raises
    ------
    ValueError
        If y contains unknown tags, only one tag, or no tags.
    """
    lengths = np.array([len(tags) for tags in y])
    tags = flat_tags(y)
    if len(tags) == 0:
        raise ValueError(
            "X must contain some words. Got only empty sentences. Pass at least two "
            "words with different tags."
        )
    if not weights[lengths > 0].any():
        raise ValueError(
            "sample_weight must be positive for some sentences that have words. Got "
            "positive weights only for empty sentences. Raise the weight of others."
        )
    words = read_classes(
        tags, np.repeat(weights, lengths), known, class_weight, label_smoothing, "tag"
    )
    has_tag = np.zeros((len(y), words.n_outputs), dtype=int)
    has_tag[np.repeat(np.arange(len(y)), lengths), words.values] = 1
    shared = {field.name: getattr(words, field.name) for field in fields(words)}
    return TagTarget(**{**shared, "y": y, "strata": has_tag}, lengths=lengths)


def flat_tags(y: Any) -> np.ndarray:
    """Return the concatenated tags of all sentences."""
    return as_array(list(chain.from_iterable(y)))


def check_tags(y: Any, sentences: Sentences, estimator: Any) -> np.ndarray:
    """Validate y as one list of tags per sentence, with one tag per word.

    Parameters
    ----------
    y : array-like of list
    sentences : Sentences
        The samples of y.
    estimator : object
        Named in error messages.

    Returns
    -------
    ndarray of shape (n_sentences,), dtype object
        Lists of tags.

    Raises
    ------
    ValueError
        If lists are missing, or their lengths differ from those of the sentences, or if
        a tag is neither str nor int.
    """
    check_y_given(y, estimator, "list of tags")
    check_collection(y, "y", "list of tags")
    check_not_masked(y, "y")
    check_consistent_length(sentences.words, y)
    tags = [_list_of_tags(tags, row) for row, tags in enumerate(_rows_of_tags(y))]
    _check_lengths(tags, sentences)
    _check_kinds(tags)
    _check_width(tags)
    return as_objects(tags)


def _rows_of_tags(y: Any) -> list[Any]:
    """Return the rows of a collection, or of the only column of a frame."""
    n_columns = len(getattr(y, "columns", [y]))
    if n_columns != 1:
        raise ValueError(
            f"y must have one column, of lists of tags. Got {n_columns} columns. "
            "Select the column of tags."
        )
    return rows_of(y)


def _list_of_tags(tags: Any, row: int) -> list[Any]:
    """Return the tags of a sentence; texts as plain str."""
    listed = as_list(tags)
    if listed is None:
        raise ValueError(
            "y must contain a list of tags for each sentence, with one tag for each "
            f"word. Got {show(tags)} in row {row}. {_how_to_list_tags(tags)}"
        )
    for place, tag in enumerate(listed):
        if isinstance(tag, str):
            where = f"for word {place} of sentence {row}"
            check_plain_text(tag, "y must contain tags that are", where)
    return [str(tag) if isinstance(tag, str) else tag for tag in listed]


def _how_to_list_tags(tags: Any) -> str:
    if is_missing(tags):
        return "Drop the sentence, or pass [] for a sentence without words."
    if isinstance(tags, set | frozenset):
        return "A set has no order. Pass the tags in the order of the words."
    if isinstance(tags, str) and " " in tags:
        return "Split the tags: [tags.split() for tags in y]."
    return "If X and y are a single sentence, put them into lists: [words] and [tags]."


def _check_lengths(tags: list[list[Any]], sentences: Sentences) -> None:
    wrong = [
        (row, len(some), n_words)
        for row, (some, n_words) in enumerate(zip(tags, sentences.lengths, strict=True))
        if len(some) != n_words
    ]
    if wrong:
        row, n_tags, n_words = wrong[0]
        raise ValueError(
            f"y must contain one tag for each word. Got {n_tags} tags for {n_words} "
            f"words in sentence {row}: {len(wrong)} of {len(tags)} sentences differ. "
            "Pass one tag for each word of X; split_words shows the words."
        )


def _check_kinds(tags: list[list[Any]]) -> None:
    first = next((type(tag) for some in tags for tag in some), str)
    kind = str if issubclass(first, str) else Integral
    for row, some in enumerate(tags):
        for place, tag in enumerate(some):
            if is_missing(tag):
                raise ValueError(
                    f"Input y contains NaN. The tag of word {place} of sentence {row} "
                    "is missing. Drop the sentence, or set the tag."
                )
            if isinstance(tag, Integral) and tag == _NO_LABEL:
                raise ValueError(
                    f"y must contain one tag for each word. Got {_NO_LABEL} for word "
                    f"{place} of sentence {row}, which marks ignored tokens in Hugging "
                    "Face data. Pass the tags of the words, as they were before they "
                    "were aligned with tokens."
                )
            # NumPy's durations are integers too.
            if not isinstance(tag, kind) or isinstance(tag, np.timedelta64):
                how = "tag.decode()" if isinstance(tag, bytes) else "str(tag)"
                raise ValueError(
                    "y must contain tags that are all texts (str) or all int. Got "
                    f"{show(tag)} for word {place} of sentence {row}. Convert tags to "
                    f"texts: {how}."
                )


def _check_width(tags: list[list[Any]]) -> None:
    """Refuse integers that no dtype holds, since metrics would read them as floats."""
    flat = flat_tags(tags)
    if flat.dtype == object and not all(isinstance(tag, str) for tag in flat):
        raise ValueError(
            "y must contain tags that are texts (str), or integers that are all in the "
            "range of int64 or all in that of uint64. Got integers from "
            f"{quote(min(flat))} to {quote(max(flat))}. Convert tags to texts: "
            "str(tag)."
        )
