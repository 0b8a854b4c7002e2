"""Pooling of token vectors into one row per sequence.

A pooling is one mode or several, joined by "+", whose rows are concatenated.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch

# The texts of a pair are compared by four vectors.
VECTORS_OF_COMPARISON = 4


def modes_of(pooling: str) -> list[str]:
    """Return the modes of a pooling."""
    return pooling.split("+")


def pool(hidden: Tensor, batch: Batch, pooling: str) -> Tensor:
    """Pool the tokens of each sequence, including special tokens.

    Parameters
    ----------
    hidden : Tensor of shape (T, hidden_size)
    batch : Batch
        The batch of n sequences with T tokens. The first ``batch.n_prompt`` tokens of
        each sequence are left out, but not its last token.
    pooling : str
        "compare", which needs pairs, or modes joined by "+": "cls", "max", "mean",
        "mean_sqrt_len_tokens", "weightedmean" or "lasttoken".

    Returns
    -------
    Tensor of shape (n, hidden_size), (n, n_modes * hidden_size) for several modes, or
    (n, 4 * hidden_size) for "compare"
        Means are in float32 or a wider dtype.
    """
    if pooling == "compare":
        return _compare(hidden, batch)
    rows = [_pool(hidden, batch, mode) for mode in modes_of(pooling)]
    return rows[0] if len(rows) == 1 else torch.cat([_widen(row) for row in rows], 1)


def _pool(hidden: Tensor, batch: Batch, mode: str) -> Tensor:
    if mode == "lasttoken":
        return hidden[batch.boundaries[1:] - 1]
    if mode == "cls":
        return hidden[_first_pooled(batch)]
    if mode != "max" and hidden.device.type == "cuda":
        return average_runs(hidden, batch, mode)
    # Splitting makes gradients cheaper than slicing.
    parts = hidden.split([n_rows * length for n_rows, length in batch.groups])
    return torch.cat(
        [
            _reduce(part.unflatten(0, shape), min(batch.n_prompt, shape[1] - 1), mode)
            for part, shape in zip(parts, batch.groups, strict=True)
        ]
    )


def _first_pooled(batch: Batch) -> Tensor:
    """Return the index of the first token that is pooled: (n,), int32."""
    if batch.n_prompt == 0:
        return batch.first_tokens
    return torch.minimum(batch.first_tokens + batch.n_prompt, batch.boundaries[1:] - 1)


def _reduce(tokens: Tensor, n_prompt: int, mode: str) -> Tensor:
    """Pool sequences of one length: (n, length, size) to (n, size)."""
    pooled = tokens[:, n_prompt:]
    if mode == "max":
        return pooled.amax(1)
    if mode == "mean":
        return pooled.mean(1, dtype=_wide(tokens))
    if mode == "mean_sqrt_len_tokens":
        return pooled.sum(1, dtype=_wide(tokens)) / pooled.shape[1] ** 0.5
    # The weights of the tokens after a prompt count from its beginning.
    weights = torch.arange(
        n_prompt + 1, tokens.shape[1] + 1, dtype=_wide(tokens), device=tokens.device
    )
    return (_widen(pooled) * weights[:, None]).sum(1) / weights.sum()


def average_layers(states: list[Tensor], weights: tuple[float, ...]) -> Tensor:
    """Return the weighted mean of states of layers, in float32 or a wider dtype.

    Parameters
    ----------
    states : list of Tensor of shape (T, hidden_size)
        One per layer.
    weights : tuple of float
        One per layer. Their sum is not 0.

    Returns
    -------
    Tensor of shape (T, hidden_size)
    """
    total = sum(weights)
    mean = torch.zeros_like(states[0], dtype=_wide(states[0]))
    for state, weight in zip(states, weights, strict=True):
        mean = torch.add(mean, state, alpha=weight / total)
    return mean


def average_runs(hidden: Tensor, batch: Batch, mode: str) -> Tensor:
    """Compute a mean of :func:`pool` with few kernels, whatever the lengths are."""
    rows, lengths = _widen(hidden), batch.boundaries.diff().long()
    weights = torch.ones_like(rows[:, :1])
    if mode == "weightedmean":
        weights = (batch.positions + 1)[:, None].to(rows.dtype)
    if batch.n_prompt:
        is_pooled = batch.positions >= batch.n_prompt
        last = (batch.boundaries[1:] - 1).long()
        weights = weights * is_pooled.index_fill(0, last, True)[:, None]
    if mode == "weightedmean" or batch.n_prompt:
        rows = rows * weights
        totals = sum_runs(weights, lengths)
    else:
        totals = lengths[:, None].to(rows.dtype)
    if mode == "mean_sqrt_len_tokens":
        totals = totals.sqrt()
    return sum_runs(rows, lengths) / totals


def _wide(tokens: Tensor) -> torch.dtype:
    # A sum of 512 bfloat16 numbers would lose half of the digits.
    return torch.promote_types(tokens.dtype, torch.float32)


def _widen(tokens: Tensor) -> Tensor:
    return tokens.to(_wide(tokens))


def _compare(hidden: Tensor, batch: Batch) -> Tensor:
    """Concatenate the means of both texts, their distance and their product."""
    lengths = _lengths_of_texts(batch)
    totals = sum_runs(_widen(hidden), lengths.flatten()).unflatten(0, (-1, 2))
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
    pooled: Tensor,
    n_tokens: Tensor,
    owners: Tensor,
    n_texts: int,
    pooling: str,
    *,
    n_layers: int = 1,
) -> Tensor:
    """Pool the windows of each text.

    Parameters
    ----------
    pooled : Tensor of shape (m, width)
        The row of each window: all modes of the first layer, then those of the next.
    n_tokens : Tensor of shape (m,)
        Number of tokens that were pooled in each window.
    owners : Tensor of shape (m,), int64
        The text that each row is a window of.
    n_texts : int
    pooling : str
        Windows of "max" give their maximum. Rows of other modes are averaged: "cls"
        and "lasttoken" equally, others weighted by the tokens.
        "mean_sqrt_len_tokens" is a sum over all tokens, divided by the square root of
        their number.
    n_layers : int

    Returns
    -------
    Tensor of shape (n_texts, width)
    """
    if pooling == "compare":
        return _join(pooled, n_tokens, owners, n_texts, pooling)
    modes = [*modes_of(pooling)] * n_layers
    parts = pooled.chunk(len(modes), dim=1)
    return torch.cat(
        [
            _join(part, n_tokens, owners, n_texts, mode)
            for part, mode in zip(parts, modes, strict=True)
        ],
        dim=1,
    )


def _join(
    pooled: Tensor, n_tokens: Tensor, owners: Tensor, n_texts: int, mode: str
) -> Tensor:
    joined = pooled.new_zeros((n_texts, pooled.shape[1]))
    if mode == "max":
        places = owners[:, None].expand_as(pooled)
        return joined.scatter_reduce(0, places, pooled, "amax", include_self=False)
    weights = n_tokens[:, None].to(pooled.dtype)
    if mode in ("cls", "lasttoken"):
        weights = torch.ones_like(weights)
    totals = joined[:, :1].index_add(0, owners, weights)
    if mode == "mean_sqrt_len_tokens":
        weights, totals = weights.sqrt(), totals.sqrt()
    return joined.index_add(0, owners, pooled * weights) / totals
