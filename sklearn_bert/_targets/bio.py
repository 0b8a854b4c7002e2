"""The BIO scheme: B- starts an entity, I- continues it, O is outside of entities."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_bert._config import quote

_START = ("O", "")


def check_bio(sentences: np.ndarray) -> None:
    """Raise an error if tags are not valid BIO.

    Parameters
    ----------
    sentences : ndarray of shape (n_sentences,), dtype object
        Of lists of tags.

    Raises
    ------
    ValueError
        If a tag is not of the form O, B-type or I-type, or an I- tag does not follow a
        tag of the same type.
    """
    for row, tags in enumerate(sentences):
        before, place_before = _START, "at the start"
        for place, tag in enumerate(tags):
            kind = _parse(tag)
            where = f"for word {place} of sentence {row}"
            if kind is None:
                raise ValueError(
                    "y must contain BIO tags with constrain_tags='bio': 'O', or 'B-' "
                    f"or 'I-' and a type. Got {quote(tag)} {where}. Set "
                    "constrain_tags=None."
                )
            if not _may_follow(before, kind):
                raise ValueError(
                    "y must start every entity with 'B-' with constrain_tags='bio'. "
                    f"Got {quote(tag)} {place_before} {where}. Turn the first 'I-' of "
                    "each entity into 'B-', or set constrain_tags=None."
                )
            before, place_before = kind, f"after {quote(tag)}"


@dataclass(frozen=True)
class BioRules:
    """The valid transitions between tags.

    Attributes
    ----------
    may_start : ndarray of shape (n_classes,), bool
    may_follow : ndarray of shape (n_classes, n_classes), bool
        Whether the tag of the column may follow that of the row.
    """

    may_start: np.ndarray
    may_follow: np.ndarray

    @classmethod
    def of(cls, classes: np.ndarray) -> "BioRules":
        """Return the rules for a set of tags.

        Raises
        ------
        ValueError
            If one of them is not a BIO tag, or if none may start a sentence.
        """
        kinds = _parse_all(classes.tolist())
        return cls(
            np.array([_may_follow(_START, kind) for kind in kinds]),
            np.array([[_may_follow(one, next_) for next_ in kinds] for one in kinds]),
        )

    def best_path(self, scores: np.ndarray) -> np.ndarray:
        """Return the sequence of tags with the highest sum of scores (Viterbi).

        Parameters
        ----------
        scores : ndarray of shape (n_words, n_classes)

        Returns
        -------
        ndarray of shape (n_words,), int64
            Column indices.
        """
        path = scores.argmax(axis=1)
        if len(path) == 0 or self._allows(path):
            return path
        total = np.where(self.may_start, scores[0], -np.inf)
        best_before = np.empty(scores.shape, dtype=np.int64)
        for word in range(1, len(scores)):
            options = np.where(self.may_follow, total[:, None], -np.inf)
            best_before[word] = options.argmax(axis=0)
            total = options.max(axis=0) + scores[word]
        path[-1] = total.argmax()
        for word in range(len(scores) - 1, 0, -1):
            path[word - 1] = best_before[word, path[word]]
        return path

    def _allows(self, path: np.ndarray) -> bool:
        return bool(
            self.may_start[path[0]] and self.may_follow[path[:-1], path[1:]].all()
        )


def _parse_all(tags: list[Any]) -> list[tuple[str, str]]:
    """Return the letters and types of tags that can form BIO sequences."""
    kinds = [kind for tag in tags if (kind := _parse(tag)) is not None]
    if len(kinds) < len(tags) or all(letter == "I" for letter, _ in kinds):
        raise ValueError(
            "constrain_tags must be None unless all classes are BIO tags and one of "
            "them may start a sentence: 'O', or 'B-' and a type. Got "
            f"constrain_tags='bio' for the classes {quote(tags)}. Set "
            "constrain_tags=None."
        )
    return kinds


def _parse(tag: Any) -> tuple[str, str] | None:
    """Return the letter and the type of a tag; None if it is not BIO."""
    if tag == "O":
        return "O", ""
    if isinstance(tag, str) and tag[:2] in ("B-", "I-") and len(tag) > 2:
        return tag[0], tag[2:]
    return None


def _may_follow(before: tuple[str, str], kind: tuple[str, str]) -> bool:
    letter, type_ = kind
    return letter != "I" or (before[0] != "O" and before[1] == type_)
