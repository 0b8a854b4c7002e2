"""Texts as token ids."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class TokenSequences:
    """The token ids of one call.

    Attributes
    ----------
    ids : list of list of int, length m
        Token ids of each sequence, including special tokens.
    second_starts : list of int, length m, or None
        Start of the second text of each pair. None if the texts are not pairs.
    text_index : list of int, length m
        The text that each sequence is a part of; non-decreasing.
    word_positions : list of list of int, length m, or None
        Positions in each sequence of the first token of each of its words, for
        sentences. Each word is in one sequence.
    n_truncated : int
        Number of truncated texts.
    n_prompt : int
        Number of tokens of a prompt at the beginning of each sequence, including
        special tokens before it.
    """

    ids: list[list[int]] = field(default_factory=list)
    second_starts: list[int] | None = None
    text_index: list[int] = field(default_factory=list)
    word_positions: list[list[int]] | None = None
    n_truncated: int = 0
    n_prompt: int = 0

    @property
    def n_texts(self) -> int:
        """Number of texts, each with one or several sequences."""
        return self.text_index[-1] + 1 if self.text_index else 0

    def take(self, texts: Sequence[int]) -> "TokenSequences":
        """Return the sequences of some texts, renumbered."""
        starts = text_boundaries(self)
        stops = np.append(starts[1:], len(self.ids))
        owned = [range(starts[text], stops[text]) for text in texts]
        rows = [row for some in owned for row in some]
        second, words = self.second_starts, self.word_positions
        return TokenSequences(
            ids=[self.ids[row] for row in rows],
            second_starts=None if second is None else [second[row] for row in rows],
            text_index=[text for text, some in enumerate(owned) for _ in some],
            word_positions=None if words is None else [words[row] for row in rows],
            n_prompt=self.n_prompt,
        )


def text_boundaries(sequences: TokenSequences) -> np.ndarray:
    """Return the index of the first sequence of each text: (n_texts,), int64."""
    return np.flatnonzero(np.diff(sequences.text_index, prepend=-1))
