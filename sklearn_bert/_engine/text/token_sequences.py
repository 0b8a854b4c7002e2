"""Texts as token ids."""

from collections.abc import Hashable, Iterator, Sequence
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
    truncated : list of int
        The truncated texts.
    n_prompt : int
        Number of tokens of a prompt at the beginning of each sequence, including
        special tokens before it.
    """

    ids: list[list[int]] = field(default_factory=list)
    second_starts: list[int] | None = None
    text_index: list[int] = field(default_factory=list)
    word_positions: list[list[int]] | None = None
    truncated: list[int] = field(default_factory=list)
    n_prompt: int = 0

    @property
    def n_texts(self) -> int:
        """Number of texts, each with one or several sequences."""
        return self.text_index[-1] + 1 if self.text_index else 0

    @property
    def n_tokens(self) -> int:
        """Number of tokens of all sequences, including special tokens."""
        return sum(map(len, self.ids))

    @property
    def n_rows_each(self) -> np.ndarray:
        """Number of rows of each text: its words, or one."""
        if self.word_positions is None:
            return np.ones(self.n_texts, dtype=np.int64)
        n_words = list(map(len, self.word_positions))
        return np.bincount(self.text_index, n_words, self.n_texts).astype(np.int64)

    @property
    def contents(self) -> Iterator[Hashable]:
        """What distinguishes each text from the others."""
        starts = text_boundaries(self)
        for start, stop in zip(starts, [*starts[1:], len(self.ids)], strict=True):
            rows = range(start, stop)
            second, words = self.second_starts, self.word_positions
            yield (
                *(tuple(self.ids[row]) for row in rows),
                None if second is None else tuple(second[row] for row in rows),
                None if words is None else tuple(tuple(words[row]) for row in rows),
            )

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
