"""Readouts: from the hidden states of tokens to rows of features."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.encoding.pooling import (
    VECTORS_OF_COMPARISON,
    join_windows,
    modes_of,
    pool,
)
from sklearn_bert._engine.text.token_sequences import TokenSequences


@dataclass(frozen=True)
class PooledReadout:
    """One row per text or pair, pooled over its tokens and windows.

    Attributes
    ----------
    pooling : str
        "compare", or modes joined by "+".
    include_prompt : bool
        Whether the tokens of a prompt are pooled.
    n_modules : int
        How many of the encoder's modules then apply to the row of a text.
    n_kept : int or None
        How many of the first numbers of a row are then kept; None keeps all.
    layer_weights : tuple of float or None
        The weights of the last layers, whose weighted mean is pooled in place of the
        last layer.
    """

    pooling: str
    include_prompt: bool = True
    n_modules: int = 0
    n_kept: int | None = None
    layer_weights: tuple[float, ...] | None = None

    @property
    def n_vectors(self) -> int:
        """One for each mode, 4 for "compare"."""
        if self.pooling == "compare":
            return VECTORS_OF_COMPARISON
        return len(modes_of(self.pooling))

    @property
    def only_first(self) -> bool:
        """Whether only [CLS] is read."""
        return self.pooling == "cls" and self.include_prompt

    def count(self, sequences: TokenSequences) -> list[int]:
        """Return the number of rows of each sequence: one."""
        return [1] * len(sequences.ids)

    def read(self, states: Tensor, batch: Batch) -> Tensor:
        """Return the row of each sequence: (T, size), or (n, size), to (n, width)."""
        if self.only_first:
            return states
        return pool(states, self._without_prompt(batch), self.pooling)

    def join(self, rows: Tensor, batch: Batch, owners: Tensor, n_texts: int) -> Tensor:
        """Pool the windows of each text: (m, width) to (n_texts, width)."""
        lengths = batch.boundaries.diff()
        n_tokens = (lengths - self._without_prompt(batch).n_prompt).clamp(min=1)
        return join_windows(rows, n_tokens, owners, n_texts, self.pooling)

    def _without_prompt(self, batch: Batch) -> Batch:
        """Return a batch without a prompt, if the tokens of a prompt are pooled."""
        is_same = batch.n_prompt == 0 or not self.include_prompt
        return batch if is_same else replace(batch, n_prompt=0)

    def join_arrays(
        self, rows: np.ndarray, sequences: TokenSequences, n_layers: int
    ) -> np.ndarray:
        """Pool the windows of each text: (m, width) to (n_texts, width)."""
        n_texts = sequences.n_texts
        if n_texts == len(rows):
            return rows
        n_prompt = 0 if self.include_prompt else sequences.n_prompt
        n_tokens = [max(len(ids) - n_prompt, 1) for ids in sequences.ids]
        joined = join_windows(
            torch.from_numpy(rows),
            torch.tensor(n_tokens),
            torch.tensor(sequences.text_index),
            n_texts,
            self.pooling,
            n_layers=n_layers,
        )
        return joined.numpy()


@dataclass(frozen=True)
class WordReadout:
    """One row per word: the state of its first token.

    Each word is in only one window, so that there is nothing to join.
    """

    only_first: bool = False
    n_vectors: int = 1
    n_modules: int = 0
    n_kept: int | None = None
    layer_weights: tuple[float, ...] | None = None

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

    def join_arrays(
        self, rows: np.ndarray, sequences: TokenSequences, n_layers: int
    ) -> np.ndarray:
        """Return the rows."""
        return rows


Readout = PooledReadout | WordReadout
