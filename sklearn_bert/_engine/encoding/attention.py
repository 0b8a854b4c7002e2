"""Attention over flat batches: each text attends only to itself.

On a GPU one call of the variable-length flash kernel computes the whole batch. On a CPU
each group of equally long texts is computed by two matrix products and a softmax, two
to three times as fast as ``scaled_dot_product_attention`` on texts of up to about 160
tokens. Longer texts use the latter, which does not store all scores.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch

# Length of the longest text whose scores are stored, measured on two CPU cores.
LONGEST_STORED = 160


def flat_attention(
    query: Tensor, key: Tensor, value: Tensor, batch: Batch, scale: float
) -> Tensor:
    """Attend within each sequence of a flat batch.

    Parameters
    ----------
    query, key, value : Tensor of shape (T, n_heads, head_size)
    batch : Batch
        The batch of the T tokens.
    scale : float
        Factor of the scores before the softmax.

    Returns
    -------
    Tensor of shape (T, n_heads, head_size)

    Notes
    -----
    Rows beyond the tokens of the batch are zero in the output.
    """
    if varlen_attention_works(query.device, query.dtype, query.shape[-1]):
        return _varlen_attention(query, key, value, batch, scale)
    # Splitting and concatenating makes gradients cheaper than writing in place.
    attended = [
        _attend(q, k, v, scale).transpose(1, 2).flatten(0, 1)
        for q, k, v in zip(
            *(_groups(x, batch) for x in (query, key, value)), strict=True
        )
    ]
    n_tokens = batch.input_ids.shape[0]
    if query.shape[0] > n_tokens:
        # Rows beyond the batch round up the number of rows. They are never read.
        attended.append(torch.zeros_like(query[n_tokens:]))
    return torch.cat(attended)


def first_token_attention(
    query: Tensor, key: Tensor, value: Tensor, batch: Batch, scale: float
) -> Tensor:
    """Attend from the first token of each sequence only.

    Parameters
    ----------
    query : Tensor of shape (n, n_heads, head_size)
        The queries of the n first tokens.
    key, value : Tensor of shape (T, n_heads, head_size)
    batch : Batch
    scale : float

    Returns
    -------
    Tensor of shape (n, n_heads, head_size)
    """
    if varlen_attention_works(query.device, query.dtype, query.shape[-1]):
        return _varlen_attention(query, key, value, batch, scale, only_first=True)
    queries = query.split([n_rows for n_rows, _ in batch.groups])
    attended = [
        _attend(q.unsqueeze(2), k, v, scale).squeeze(2)
        for q, k, v in zip(
            queries, _groups(key, batch), _groups(value, batch), strict=True
        )
    ]
    return torch.cat(attended)


def _groups(flat: Tensor, batch: Batch) -> list[Tensor]:
    """Return each group of equal lengths as (sequences, n_heads, length, head_size)."""
    parts = flat[: batch.input_ids.shape[0]].split(
        [n * size for n, size in batch.groups]
    )
    return [
        part.unflatten(0, shape).transpose(1, 2)
        for part, shape in zip(parts, batch.groups, strict=True)
    ]


def _attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """Plain attention: (rows, heads, queries, size) and (rows, heads, keys, size)."""
    length = k.shape[2]
    if length > LONGEST_STORED or q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, scale=scale)
    flat_q, flat_k, flat_v = (x.reshape(-1, x.shape[2], x.shape[3]) for x in (q, k, v))
    scores = torch.baddbmm(
        # Not read, because beta is 0.
        flat_q.new_empty(1, 1, 1),
        flat_q,
        flat_k.transpose(1, 2),
        beta=0.0,
        alpha=scale,
    )
    return torch.bmm(scores.softmax(-1), flat_v).view(q.shape)


def _varlen_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    batch: Batch,
    scale: float,
    *,
    only_first: bool = False,
) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    query_ends = ends = batch.boundaries
    longest_query = longest = batch.lengths[0]
    if only_first:
        query_ends = torch.arange(len(ends), dtype=ends.dtype, device=ends.device)
        longest_query = 1
    out = varlen_attn(
        query, key, value, query_ends, ends, longest_query, longest, scale=scale
    )
    assert isinstance(out, Tensor)  # a tuple only with optional outputs
    return out


@cache
def varlen_attention_works(
    device: torch.device, dtype: torch.dtype, head_size: int
) -> bool:
    """Tell whether the flash kernel works here and separates texts."""
    if device.type != "cuda" or dtype not in (torch.float16, torch.bfloat16):
        return False
    ids = torch.zeros(7, dtype=torch.int64, device=device)
    ends = torch.tensor([0, 4, 7], dtype=torch.int32, device=device)
    batch = Batch((4, 3), ends, ids, ids, None)
    generator = torch.Generator().manual_seed(0)
    # Strided queries, keys and values, as their joint projection gives them.
    qkv = torch.randn((7, 3, 2, head_size), generator=generator).to(device, dtype)
    q, k, v = qkv.unbind(1)
    scale = head_size**-0.5
    try:
        fast = _varlen_attention(q, k, v, batch, scale)
        first = _varlen_attention(q[[0, 4]], k, v, batch, scale, only_first=True)
    except (ImportError, RuntimeError, TypeError):
        return False
    slow = torch.empty_like(fast)
    for part in (slice(0, 4), slice(4, 7)):
        one = [x[part].transpose(0, 1)[None] for x in (q, k, v)]
        slow[part] = _attend(one[0], one[1], one[2], scale)[0].transpose(0, 1)
    is_close = torch.allclose(fast, slow, rtol=0.0, atol=0.05)
    return is_close and torch.allclose(first, slow[[0, 4]], rtol=0.0, atol=0.05)
