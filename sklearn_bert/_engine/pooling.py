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
    # Split, rather than slice, so that gradients pass cheaply.
    parts = hidden.split([n_rows * length for n_rows, length in batch.groups])
    return torch.cat(
        [
            reduce(part.unflatten(0, shape))
            for part, shape in zip(parts, batch.groups, strict=True)
        ]
    )


def _mean(tokens: Tensor) -> Tensor:
    # A sum of 512 bfloat16 numbers would lose half their digits.
    wide = torch.promote_types(tokens.dtype, torch.float32)
    return tokens.mean(1, dtype=wide)


def join_windows(
    pooled: Tensor, batch: Batch, owners: Tensor, n_texts: int, pooling: str
) -> Tensor:
    """Pool the windows of each text.

    Parameters
    ----------
    pooled : Tensor of shape (m, hidden_size)
        The vectors of the sequences of ``batch``.
    batch : Batch
    owners : Tensor of shape (m,), int64
        Which text each sequence is a window of.
    n_texts : int
    pooling : {"cls", "mean", "max"}
        "mean" weighs a window by its tokens; a [CLS] counts once.

    Returns
    -------
    Tensor of shape (n_texts, hidden_size)
    """
    joined = pooled.new_zeros((n_texts, pooled.shape[1]))
    if pooling == "max":
        places = owners[:, None].expand_as(pooled)
        return joined.scatter_reduce(0, places, pooled, "amax", include_self=False)
    weights = torch.ones_like(pooled[:, :1])
    if pooling == "mean":
        weights = batch.boundaries.diff()[:, None].to(pooled.dtype)
    totals = joined[:, :1].index_add(0, owners, weights)
    return joined.index_add(0, owners, pooled * weights) / totals
