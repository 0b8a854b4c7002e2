"""From one vector per token to one vector per sequence."""

from collections.abc import Callable

import torch
from torch import Tensor

from sklearn_bert._engine.batching import Batch

POOLINGS = ("cls", "mean", "max")


def pool(hidden: Tensor, batch: Batch, pooling: str) -> Tensor:
    """Pool the tokens of each sequence, special tokens included.

    Parameters
    ----------
    hidden : Tensor of shape (T, hidden_size)
    batch : Batch
        Whose n sequences the T tokens are.
    pooling : {"mean", "max"}
        [CLS] is not pooled: encoders give the first tokens by themselves.

    Returns
    -------
    Tensor of shape (n, hidden_size)
    """
    reduce: Callable[[Tensor], Tensor]
    reduce = _mean if pooling == "mean" else lambda tokens: tokens.amax(1)
    pooled, start = [], 0
    for n_rows, length in batch.groups:
        stop = start + n_rows * length
        pooled.append(reduce(hidden[start:stop].view(n_rows, length, -1)))
        start = stop
    return torch.cat(pooled)


def _mean(tokens: Tensor) -> Tensor:
    # A sum of 512 bfloat16 numbers would lose half their digits.
    wide = torch.promote_types(tokens.dtype, torch.float32)
    return tokens.mean(1, dtype=wide)
