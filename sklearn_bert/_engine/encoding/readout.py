"""From the states of tokens to the rows that the linear layer on top reads."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.encoding.pooling import join_windows, pool
from sklearn_bert._engine.text.token_sequences import TokenSequences, text_boundaries


class Readout(Protocol):
    """One way to read an encoder's states.

    Attributes
    ----------
    only_first : bool
        Whether the states of the first tokens are all that is needed.
    n_vectors : int
        How many vectors of the encoder's size make a row.
    """

    @property
    def only_first(self) -> bool: ...

    @property
    def n_vectors(self) -> int: ...

    def count(self, sequences: TokenSequences) -> list[int]:
        """Return how many rows each sequence gives."""
        ...

    def read(self, states: Tensor, batch: Batch) -> Tensor:
        """Return the rows of each sequence of a batch: (T, size) to (m, size)."""
        ...

    def join(self, rows: Tensor, batch: Batch, owners: Tensor, n_texts: int) -> Tensor:
        """Join the windows in a batch; parameters as those of ``join_windows``."""
        ...

    def join_arrays(self, rows: np.ndarray, sequences: TokenSequences) -> np.ndarray:
        """Join the windows of texts whose sequences are in order."""
        ...


@dataclass(frozen=True)
class PooledReadout:
    """One row for each text or pair, pooled from its tokens and windows.

    Attributes
    ----------
    pooling : {"cls", "mean", "max", "compare"}
    """

    pooling: str

    @property
    def n_vectors(self) -> int:
        """One, or four from a comparison."""
        return 4 if self.pooling == "compare" else 1

    @property
    def only_first(self) -> bool:
        """Whether [CLS] is all that is read."""
        return self.pooling == "cls"

    def count(self, sequences: TokenSequences) -> list[int]:
        """Return how many rows each sequence gives: one."""
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
        # A mean over all tokens weighs a window by its tokens; [CLS] counts once.
        weights = np.ones(len(rows), dtype=rows.dtype)
        if self.pooling != "cls":
            weights[:] = [len(ids) for ids in sequences.ids]
        totals = np.add.reduceat(rows * weights[:, None], starts)
        return totals / np.add.reduceat(weights, starts)[:, None]


@dataclass(frozen=True)
class WordReadout:
    """One row for each word: the state of its first token.

    A word is read in one window only, so there is nothing to join.
    """

    only_first: bool = False
    n_vectors: int = 1

    def count(self, sequences: TokenSequences) -> list[int]:
        """Return how many words each sequence has."""
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
