"""Pooling of token vectors into one row per sequence."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch

# The poolings that a checkpoint can declare.
POOLINGS = ("cls", "mean", "max")


def pool(hidden: Tensor, batch: Batch, pooling: str) -> Tensor:
    """Pool the tokens of each sequence, including special tokens.

    Parameters
    ----------
    hidden : Tensor of shape (T, hidden_size)
    batch : Batch
        The batch of n sequences with T tokens.
    pooling : {"mean", "max", "compare"}
        For "cls" encoders compute only the first tokens. "compare" needs pairs.

    Returns
    -------
    Tensor of shape (n, hidden_size), or (n, 4 * hidden_size) from "compare"
    """
    if pooling == "compare":
        return _compare(hidden, batch)
    if pooling == "mean" and hidden.device.type == "cuda":
        # A single kernel for any number of lengths.
        lengths = batch.boundaries.diff().long()
        return sum_runs(hidden.to(_wide(hidden)), lengths) / lengths[:, None]
    # Splitting makes gradients cheaper than slicing.
    parts = hidden.split([n_rows * length for n_rows, length in batch.groups])
    reduce = _mean if pooling == "mean" else _maximum
    return torch.cat(
        [
            reduce(part.unflatten(0, shape))
            for part, shape in zip(parts, batch.groups, strict=True)
        ]
    )


def _mean(tokens: Tensor) -> Tensor:
    return tokens.mean(1, dtype=_wide(tokens))


def _maximum(tokens: Tensor) -> Tensor:
    return tokens.amax(1)


def _wide(tokens: Tensor) -> torch.dtype:
    # A sum of 512 bfloat16 numbers would lose half of the digits.
    return torch.promote_types(tokens.dtype, torch.float32)


def _compare(hidden: Tensor, batch: Batch) -> Tensor:
    """Concatenate the means of both texts, their distance and their product."""
    lengths = _lengths_of_texts(batch)
    totals = sum_runs(hidden.to(_wide(hidden)), lengths.flatten()).unflatten(0, (-1, 2))
    # A text without words has no tokens if the tokenizer adds no special tokens.
    first, second = (totals / lengths.clamp(min=1)[..., None]).unbind(1)
    return torch.cat([first, second, (first - second).abs(), first * second], dim=1)


def _lengths_of_texts(batch: Batch) -> Tensor:
    """Return the number of tokens of both texts of each pair: (n, 2), int64."""
    assert batch.segments is not None
    # Differences of integer sums are exact, and need no synchronization.
    n_second_before = F.pad(batch.segments.cumsum(0), (1, 0))
    n_second = n_second_before[batch.boundaries.long()].diff()
    return torch.stack([batch.boundaries.diff() - n_second, n_second], dim=1)


def sum_runs(rows: Tensor, lengths: Tensor) -> Tensor:
    """Sum consecutive runs of rows.

    Parameters
    ----------
    rows : Tensor of shape (T, size)
    lengths : Tensor of shape (n,), int64
        Number of rows of each run, possibly 0; their sum is T.

    Returns
    -------
    Tensor of shape (n, size)
    """
    if rows.device.type == "mps":
        return sum_runs_by_index(rows, lengths)
    # Unsafe, because a check of the lengths would synchronize with the device.
    return torch.segment_reduce(rows, "sum", lengths=lengths, unsafe=True, initial=0)


def sum_runs_by_index(rows: Tensor, lengths: Tensor) -> Tensor:
    """Compute :func:`sum_runs` on devices for which torch lacks the operation.

    See https://github.com/pytorch/pytorch/issues/197880.
    """
    runs = torch.arange(len(lengths), device=rows.device)
    owners = runs.repeat_interleave(lengths, output_size=len(rows))
    return rows.new_zeros((len(lengths), rows.shape[1])).index_add(0, owners, rows)


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
        The text that each sequence is a window of.
    n_texts : int
    pooling : {"cls", "mean", "max", "compare"}
        All but "max" average the rows of the windows, weighted by their number of
        tokens, or equally for "cls".

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
