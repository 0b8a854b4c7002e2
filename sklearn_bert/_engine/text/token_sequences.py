"""Texts as token ids."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class TokenSequences:
    """What one call tokenised.

    Attributes
    ----------
    ids : list of list of int, length m
        Token ids of each sequence, special tokens included.
    second_starts : list of int, length m, or None
        Where the second text of each pair begins. None if the texts are not pairs.
    text_index : list of int, length m
        Which text each sequence is a part of; never decreasing.
    word_positions : list of list of int, length m, or None
        The places in each sequence of the tokens that stand for its words, where
        words are to be read; each word stands in one sequence.
    n_truncated : int
        Number of texts of which some tokens were left out.
    """

    ids: list[list[int]] = field(default_factory=list)
    second_starts: list[int] | None = None
    text_index: list[int] = field(default_factory=list)
    word_positions: list[list[int]] | None = None
    n_truncated: int = 0

    @property
    def n_texts(self) -> int:
        """Number of the texts, each of one sequence or of several."""
        return self.text_index[-1] + 1 if self.text_index else 0

    def take(self, texts: Sequence[int]) -> "TokenSequences":
        """Return the sequences of some texts, which are numbered anew."""
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
        )


def text_boundaries(sequences: TokenSequences) -> np.ndarray:
    """Return where each text's sequences begin: (n_texts,), int64."""
    return np.flatnonzero(np.diff(sequences.text_index, prepend=-1))
