"""Flat batches: concatenated texts of similar length, without padding."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.runtime.splitting import split_greedily
from sklearn_bert._engine.text.token_sequences import TokenSequences

# Tokens per batch on a CPU, measured: the activations fit into the caches.
TOKENS_ON_CPU = 1024


@dataclass(frozen=True)
class Batch:
    """Concatenated token sequences, the longest first.

    Attributes
    ----------
    lengths : tuple of int, length n
        Number of tokens of each sequence, non-increasing; their sum is T. For a batch
        that is padded to a bucket, upper bounds of the lengths.
    boundaries : Tensor of shape (n + 1,), int32
        Start of each sequence, and the end of the last one.
    input_ids : Tensor of shape (T,), int64
    positions : Tensor of shape (T,), int64
        Position of each token in its sequence, counted from 0.
    segments : Tensor of shape (T,), int64, or None
        0 for the first text of a pair, 1 for the second. None without pairs. Models
        without segment ids ignore it.
    word_positions : Tensor of shape (n_words,), int64, or None
        Index of the first token of each word. None unless words are read.
    n_prompt : int
        Number of tokens of a prompt at the beginning of each sequence.
    states : Tensor of shape (T, hidden_size), or None
        The states after layer ``depth``, if they are known.
    depth : int
    rows : Tensor of shape (n_rows, width), or None
        What the readout reads, if it is known.
    """

    lengths: tuple[int, ...]
    boundaries: Tensor
    input_ids: Tensor
    positions: Tensor
    segments: Tensor | None
    word_positions: Tensor | None = None
    n_prompt: int = 0
    states: Tensor | None = None
    depth: int = 0
    rows: Tensor | None = None

    @cached_property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """Groups of equal length as (number of sequences, length)."""
        return tuple((len(list(run)), length) for length, run in groupby(self.lengths))

    @property
    def first_tokens(self) -> Tensor:
        """Index of the first token of each sequence: (n,), int32."""
        return self.boundaries[:-1]

    def map(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        """Return the batch with ``change`` applied to its tensors."""
        return replace(self, **map_tensors(self, change))

    def to(self, device: torch.device) -> "Batch":
        """Return the batch with its tensors on ``device``."""
        return self.map(lambda tensor: move(tensor, device))


def map_tensors(fields: Any, change: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    """Return the attributes of an object that are tensors, each changed."""
    return {
        name: change(value)
        for name, value in vars(fields).items()
        if isinstance(value, Tensor)
    }


def move(tensor: Tensor, device: torch.device) -> Tensor:
    """Move a tensor from the CPU to a device."""
    if device.type == "cuda":
        # Pinned memory lets the copy run while the GPU computes.
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def collate(sequences: TokenSequences, rows: Sequence[int]) -> Batch:
    """Concatenate the sequences ``rows``, which are sorted by decreasing length."""
    ids = [sequences.ids[row] for row in rows]
    lengths = [len(row_ids) for row_ids in ids]
    segments = None
    if sequences.second_starts is not None:
        segments = torch.from_numpy(
            np.concatenate(
                [
                    np.arange(length) >= sequences.second_starts[row]
                    for row, length in zip(rows, lengths, strict=True)
                ]
            ).astype(np.int64)
        )
    starts = list(accumulate(lengths, initial=0))
    word_positions = None
    if sequences.word_positions is not None:
        owned = [sequences.word_positions[row] for row in rows]
        word_positions = torch.tensor(
            [
                start + place
                for start, places in zip(starts, owned, strict=False)
                for place in places
            ],
            dtype=torch.int64,
        )
    return Batch(
        lengths=tuple(lengths),
        boundaries=torch.tensor(starts, dtype=torch.int32),
        input_ids=torch.from_numpy(np.concatenate(ids).astype(np.int64)),
        positions=torch.from_numpy(np.concatenate([np.arange(n) for n in lengths])),
        segments=segments,
        word_positions=word_positions,
        n_prompt=sequences.n_prompt,
    )


def plan_batches(
    lengths: Sequence[int], *, max_tokens: int | None, max_rows: int | None
) -> Iterator[list[int]]:
    """Split the rows, sorted by decreasing length, into batches.

    Parameters
    ----------
    lengths : sequence of int
        Number of tokens of each row.
    max_tokens, max_rows : int or None
        Limits of a batch, except that one row always fits.

    Yields
    ------
    list of int
        The rows of one batch. Ties keep their order, so the result depends only on the
        lengths.
    """
    return split_greedily(
        sorted(range(len(lengths)), key=lambda row: -lengths[row]),
        lengths.__getitem__,
        max_size=max_tokens,
        max_items=max_rows,
    )
