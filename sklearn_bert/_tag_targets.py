"""What lists of tags mean: one class for each word of all sentences."""

from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

import numpy as np

from sklearn_bert._targets import ClassWeight, Target, read_classes


@dataclass(frozen=True)
class TagTarget(Target):
    """A target whose samples are sentences and whose values are those of words.

    Attributes
    ----------
    y : ndarray of shape (n_sentences,), dtype object
        Of lists of tags.
    values, weights : ndarray of shape (n_words,)
        Of the words of all sentences.
    strata : ndarray of shape (n_sentences, n_outputs)
        1 where a tag occurs in a sentence.
    lengths : ndarray of shape (n_sentences,)
        Number of words of each sentence.
    """

    lengths: np.ndarray

    @property
    def n_samples(self) -> int:
        """Number of the sentences."""
        return len(self.lengths)

    def samples(self) -> np.ndarray:
        """Return which sentences have a word with a weight."""
        owners = np.repeat(np.arange(self.n_samples), self.lengths)
        return np.unique(owners[self.weights > 0])

    def take(self, rows: np.ndarray) -> "TagTarget":
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


def read_tags(
    y: np.ndarray,
    weights: np.ndarray,
    known: np.ndarray | None,
    class_weight: ClassWeight,
    label_smoothing: float,
) -> TagTarget:
    """Return what lists of tags mean.

    Parameters
    ----------
    y : ndarray of shape (n_sentences,), dtype object
        Of lists of tags.
    weights : ndarray of shape (n_sentences,)
        A word weighs as much as its sentence.
    known : ndarray of shape (n_classes,) or None
        All tags there may be, sorted. None takes those of y, at least two.
    class_weight : dict, "balanced" or None
    label_smoothing : float

    Raises
    ------
    ValueError
        If y holds other tags than the known ones, or one only, or none.
    """
    lengths = np.array([len(tags) for tags in y])
    tags = flat_tags(y)
    if len(tags) == 0:
        raise ValueError(
            "X must hold some words to learn from. Got only empty sentences. Give at "
            "least two words with different tags."
        )
    if not weights[lengths > 0].any():
        raise ValueError(
            "sample_weight must leave some sentences that have words a weight over 0. "
            "Got one over 0 for empty sentences only. Raise the weight of others."
        )
    words = read_classes(
        tags, np.repeat(weights, lengths), known, class_weight, label_smoothing
    )
    has_tag = np.zeros((len(y), words.n_outputs), dtype=int)
    has_tag[np.repeat(np.arange(len(y)), lengths), words.values] = 1
    shared = {field.name: getattr(words, field.name) for field in fields(words)}
    attributes = {"classes_": words.attributes["classes_"]}
    return TagTarget(
        **{**shared, "y": y, "strata": has_tag, "attributes": attributes},
        lengths=lengths,
    )


def flat_tags(y: Any) -> np.ndarray:
    """Return the tags of all sentences, end to end."""
    return np.array(list(chain.from_iterable(y)))
