"""Pooling of padded batches, in operations that an ONNX graph can contain.

The results are those of :func:`sklearn_bert._engine.encoding.pooling.pool`, which reads
batches without padding.
"""

import torch
from torch import Tensor

from sklearn_bert._engine.encoding.pooling import modes_of


def pool_padded(
    hidden: Tensor, mask: Tensor, segments: Tensor | None, pooling: str, n_prompt: int
) -> Tensor:
    """Pool the tokens of each sequence.

    Parameters
    ----------
    hidden : Tensor of shape (n, length, hidden_size)
    mask : Tensor of shape (n, length), int64
        1 for tokens, and 0 for the padding after them.
    segments : Tensor of shape (n, length), int64, or None
        1 for the tokens of the second text of a pair, which "compare" needs.
    pooling : str
        "compare", or modes joined by "+".
    n_prompt : int
        Number of tokens at the beginning of each sequence that are left out, but not
        its last token.

    Returns
    -------
    Tensor of shape (n, width)
    """
    if pooling == "compare":
        assert segments is not None
        return _compare(hidden, mask, segments)
    rows = [_pool(hidden, mask, mode, n_prompt) for mode in modes_of(pooling)]
    return torch.cat(rows, dim=1)


def _pool(hidden: Tensor, mask: Tensor, mode: str, n_prompt: int) -> Tensor:
    last = (mask.sum(1, keepdim=True) - 1).clamp(min=0)
    if mode == "lasttoken":
        return _take(hidden, last)
    first = last.clamp(max=n_prompt)
    if mode == "cls":
        return _take(hidden, first)
    places = torch.arange(hidden.shape[1], device=hidden.device)[None]
    is_pooled = (places >= first) & (mask > 0)
    if mode == "max":
        return hidden.masked_fill(~is_pooled[..., None], -torch.inf).amax(1)
    weights = is_pooled.to(hidden.dtype)
    if mode == "weightedmean":
        weights = weights * (places + 1)
    total = (hidden * weights[..., None]).sum(1)
    size = weights.sum(1, keepdim=True).clamp(min=1)
    return total / (size.sqrt() if mode == "mean_sqrt_len_tokens" else size)


def _take(hidden: Tensor, place: Tensor) -> Tensor:
    """Return one token of each sequence: (n, 1) places to (n, hidden_size)."""
    index = place[..., None].expand(-1, -1, hidden.shape[2])
    return hidden.gather(1, index).squeeze(1)


def _compare(hidden: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
    """Concatenate the means of both texts, their distance and their product."""
    is_second = segments * mask
    first, second = (_average(hidden, part) for part in (mask - is_second, is_second))
    return torch.cat([first, second, (first - second).abs(), first * second], dim=1)


def _average(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask.to(hidden.dtype)
    total = (hidden * weights[..., None]).sum(1)
    return total / weights.sum(1, keepdim=True).clamp(min=1)
