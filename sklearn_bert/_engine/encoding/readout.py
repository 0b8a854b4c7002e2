"""Readouts: from the hidden states of tokens to rows of features."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.encoding.pooling import join_windows, pool
from sklearn_bert._engine.text.token_sequences import TokenSequences, text_boundaries


@dataclass(frozen=True)
class PooledReadout:
    """One row per text or pair, pooled over its tokens and windows.

    Attributes
    ----------
    pooling : {"cls", "mean", "max", "compare"}
    """

    pooling: str

    @property
    def n_vectors(self) -> int:
        """1, or 4 for "compare"."""
        return 4 if self.pooling == "compare" else 1

    @property
    def only_first(self) -> bool:
        """Whether only [CLS] is read."""
        return self.pooling == "cls"

    def count(self, sequences: TokenSequences) -> list[int]:
        """Return the number of rows of each sequence: one."""
        return [1] * len(sequences.ids)

    def read(self, states: Tensor, batch: Batch) -> Tensor:
        """Return the row of each sequence: (T, size), or (n, size), to (n, width)."""
        return states if self.only_first else pool(states, batch, self.pooling)

    def join(self, rows: Tensor, batch: Batch, owners: Tensor, n_texts: int) -> Tensor:
        """Pool the windows of each text: (m, width) to (n_texts, width)."""
        return join_windows(rows, batch, owners, n_texts, self.pooling)

    def join_arrays(self, rows: np.ndarray, sequences: TokenSequences) -> np.ndarray:
        """Pool the windows of each text: (m, width) to (n_texts, width)."""
        starts = text_boundaries(sequences)
        if len(starts) == len(rows):
            return rows
        if self.pooling == "max":
            return np.maximum.reduceat(rows, starts)
        # A mean over all tokens weights a window by its tokens; [CLS] counts once.
        weights = np.ones(len(rows), dtype=rows.dtype)
        if self.pooling != "cls":
            weights[:] = [len(ids) for ids in sequences.ids]
        totals = np.add.reduceat(rows * weights[:, None], starts)
        return totals / np.add.reduceat(weights, starts)[:, None]


@dataclass(frozen=True)
class WordReadout:
    """One row per word: the state of its first token.

    Each word is in only one window, so that there is nothing to join.
    """

    only_first: bool = False
    n_vectors: int = 1

    def count(self, sequences: TokenSequences) -> list[int]:
        """Return the number of words of each sequence."""
        assert sequences.word_positions is not None
        return [len(places) for places in sequences.word_positions]

    def read(self, states: Tensor, batch: Batch) -> Tensor:
        """Return the vector of each word: (T, size) to (n_words, size)."""
        assert batch.word_positions is not None
        return states.index_select(0, batch.word_positions)

    def join(self, rows: Tensor, batch: Batch, owners: Tensor, n_texts: int) -> Tensor:
        """Return the rows."""
        return rows

    def join_arrays(self, rows: np.ndarray, sequences: TokenSequences) -> np.ndarray:
        """Return the rows."""
        return rows


Readout = PooledReadout | WordReadout
