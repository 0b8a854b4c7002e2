"""Batches for fine-tuning: their texts, their order and their targets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch, map_tensors, move
from sklearn_bert._engine.runtime.splitting import split_greedily
from sklearn_bert._engine.text.token_sequences import TokenSequences, text_boundaries
from sklearn_bert._engine.training.step_runner import divide

# The texts of this many batches are sorted by length, so that texts of similar length
# share a batch and padding is rare. The batches are then shuffled.
_BATCHES_PER_POOL = 8


@dataclass(frozen=True)
class TrainingData:
    """The texts, targets and sample weights of a training set.

    Attributes
    ----------
    sequences : TokenSequences
        One or, for a text that is split into windows, several sequences per text.
    targets : Tensor of shape (n,) or (n, n_outputs)
        One per text. In token classification one per word, where n counts the words.
    weights : Tensor of shape (n,)
        Sample weights, which multiply the losses.
    """

    sequences: TokenSequences
    targets: Tensor
    weights: Tensor


@dataclass(frozen=True)
class TrainingBatch:
    """A batch of texts with their targets and sample weights.

    Attributes
    ----------
    batch : Batch
        The m sequences of the texts.
    owners : Tensor of shape (m,), int64, or None
        The index of the text that each sequence is a window of. None if each text has
        one sequence, in the same order.
    n_texts : int
    targets : Tensor of shape (n,) or (n, n_outputs)
        One per text, or one per word in the order of ``batch``.
    weights : Tensor of shape (n,)
    """

    batch: Batch
    owners: Tensor | None
    n_texts: int
    targets: Tensor
    weights: Tensor

    def map(self, change: Callable[[Tensor], Tensor]) -> "TrainingBatch":
        """Return the batch with ``change`` applied to its tensors."""
        tensors = map_tensors(self, change)
        return replace(self, batch=self.batch.map(change), **tensors)

    def to(self, device: torch.device) -> "TrainingBatch":
        """Return the batch with its tensors on ``device``."""
        return self.map(lambda tensor: move(tensor, device))


class BatchMaker:
    """Divides the training texts into batches, and collates them.

    Parameters
    ----------
    data : TrainingData
    batch_size : int
        Texts per batch.
    seed : int
        Seed of the order of the texts.
    collate : callable
        That of the encoder.
    """

    def __init__(
        self,
        data: TrainingData,
        batch_size: int,
        seed: int,
        collate: Callable[[TokenSequences, Sequence[int]], Batch],
    ) -> None:
        self._collate = collate
        self._data = data
        self._batch_size = batch_size
        self._generator = np.random.default_rng(seed)
        starts = text_boundaries(data.sequences)
        self._stops = [*starts[1:].tolist(), len(data.sequences.ids)]
        self._starts = starts.tolist()
        sizes = [len(ids) for ids in data.sequences.ids]
        self._lengths = np.add.reduceat(sizes, starts)
        self._word_starts: list[int] | None = None
        if data.sequences.word_positions is not None:
            self._word_starts = [
                0,
                *accumulate(map(len, data.sequences.word_positions)),
            ]

    @property
    def n_texts(self) -> int:
        """Number of texts (not of words)."""
        return len(self._lengths)

    def epoch(self) -> list[list[int]]:
        """Return the batches of an epoch: all texts, in a new random order."""
        order = self._generator.permutation(len(self._lengths))
        size = self._batch_size
        batches: list[list[int]] = []
        for start in range(0, len(order), size * _BATCHES_PER_POOL):
            pool = order[start : start + size * _BATCHES_PER_POOL]
            pool = pool[np.argsort(-self._lengths[pool], kind="stable")].tolist()
            batches += [pool[i : i + size] for i in range(0, len(pool), size)]
        return [batches[i] for i in self._generator.permutation(len(batches))]

    def parts(
        self, texts: Sequence[int], max_texts: int, max_tokens: int | None
    ) -> list[list[int]]:
        """Split a batch into parts of at most ``max_texts`` and ``max_tokens``."""
        return list(
            split_greedily(
                texts,
                lambda text: int(self._lengths[text]),
                max_size=max_tokens,
                max_items=max_texts,
            )
        )

    def shares(self, texts: Sequence[int]) -> list[list[int]]:
        """Divide the texts of a part among parallel streams."""
        longest_first = sorted(texts, key=lambda text: -self._lengths[text])
        return divide(longest_first, self._lengths)

    def token_ids(self, texts: Sequence[int]) -> Tensor:
        """Return the distinct token ids of the given texts: (n_ids,), int64."""
        ids = self._data.sequences.ids
        used = [ids[row] for text in texts for row in self._sequences(text)]
        return torch.from_numpy(np.unique(np.concatenate(used).astype(np.int64)))

    def collate(self, texts: Sequence[int]) -> TrainingBatch:
        """Collate the given texts into a batch, longest sequence first."""
        ids = self._data.sequences.ids
        texts = sorted(texts, key=lambda text: -self._lengths[text])
        pairs = [
            (row, owner)
            for owner, text in enumerate(texts)
            for row in self._sequences(text)
        ]
        pairs.sort(key=lambda pair: -len(ids[pair[0]]))
        owners = [owner for _, owner in pairs]
        has_windows = owners != list(range(len(texts)))
        rows = [row for row, _ in pairs]
        samples = self._samples(texts, rows)
        return TrainingBatch(
            batch=self._collate(self._data.sequences, rows),
            owners=torch.tensor(owners) if has_windows else None,
            n_texts=len(texts),
            targets=self._data.targets[samples],
            weights=self._data.weights[samples],
        )

    def _samples(self, texts: list[int], rows: list[int]) -> list[int]:
        """Return the indices of the targets: the texts, or the words in the rows."""
        starts = self._word_starts
        if starts is None:
            return texts
        return [word for row in rows for word in range(starts[row], starts[row + 1])]

    def longest(self, texts: Sequence[int]) -> int:
        """Return the number of tokens of the longest of the given texts."""
        return int(self._lengths[list(texts)].max())

    def _sequences(self, text: int) -> range:
        return range(self._starts[text], self._stops[text])
