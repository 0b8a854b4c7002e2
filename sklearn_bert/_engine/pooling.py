"""From one vector per token to one row per sequence."""

import torch
from torch import Tensor

from sklearn_bert._engine.batching import Batch

# Those that a checkpoint can declare as its own.
POOLINGS = ("cls", "mean", "max")


def pool(hidden: Tensor, batch: Batch, pooling: str) -> Tensor:
    """Pool the tokens of each sequence, special tokens included.

    Parameters
    ----------
    hidden : Tensor of shape (T, hidden_size)
    batch : Batch
        Whose n sequences the T tokens are.
    pooling : {"mean", "max", "compare"}
        [CLS] is not pooled: encoders give the first tokens by themselves. "compare"
        needs pairs.

    Returns
    -------
    Tensor of shape (n, hidden_size), or (n, 4 * hidden_size) from "compare"
    """
    parts = _by_length(hidden, batch)
    if pooling == "compare":
        assert batch.segments is not None
        segments = _by_length(batch.segments, batch)
        rows = [_compare(*both) for both in zip(parts, segments, strict=True)]
    elif pooling == "max":
        rows = [tokens.amax(1) for tokens in parts]
    else:
        rows = [tokens.mean(1, dtype=_wide(tokens)) for tokens in parts]
    return torch.cat(rows)


def _by_length(flat: Tensor, batch: Batch) -> list[Tensor]:
    """Cut what belongs to T tokens into blocks of equally long sequences."""
    # Split, rather than slice, so that gradients pass cheaply.
    parts = flat.split([n_rows * length for n_rows, length in batch.groups])
    return [
        part.unflatten(0, shape)
        for part, shape in zip(parts, batch.groups, strict=True)
    ]


def _compare(tokens: Tensor, segments: Tensor) -> Tensor:
    """Return both texts' means, their distance and their product, side by side.

    (n, length, size) and (n, length) to (n, 4 * size).
    """
    first, second = (_mean_where(tokens, segments == text) for text in (0, 1))
    return torch.cat([first, second, (first - second).abs(), first * second], dim=1)


def _mean_where(tokens: Tensor, is_meant: Tensor) -> Tensor:
    total = (tokens * is_meant[..., None]).sum(1, dtype=_wide(tokens))
    # A text without words has no tokens where the tokenizer adds no special ones.
    return total / is_meant.sum(1, keepdim=True).clamp(min=1)


def _wide(tokens: Tensor) -> torch.dtype:
    # A sum of 512 bfloat16 numbers would lose half their digits.
    return torch.promote_types(tokens.dtype, torch.float32)


def join_windows(
    pooled: Tensor, batch: Batch, owners: Tensor, n_texts: int, pooling: str
) -> Tensor:
    """Pool the windows of each text.

    Parameters
    ----------
    pooled : Tensor of shape (m, width)
        The rows of the sequences of ``batch``.
    batch : Batch
    owners : Tensor of shape (m,), int64
        Which text each sequence is a window of.
    n_texts : int
    pooling : {"cls", "mean", "max", "compare"}
        All but "max" take the mean of the windows, each weighed by its tokens; a [CLS]
        counts once.

    Returns
    -------
    Tensor of shape (n_texts, width)
    """
    joined = pooled.new_zeros((n_texts, pooled.shape[1]))
    if pooling == "max":
        places = owners[:, None].expand_as(pooled)
        return joined.scatter_reduce(0, places, pooled, "amax", include_self=False)
    weights = torch.ones_like(pooled[:, :1])
    if pooling != "cls":
        weights = batch.boundaries.diff()[:, None].to(pooled.dtype)
    totals = joined[:, :1].index_add(0, owners, weights)
    return joined.index_add(0, owners, pooled * weights) / totals
