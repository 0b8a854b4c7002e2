"""Attention over flat batches: each text attends only to itself.

On a GPU one call of the variable-length flash kernel computes the whole batch. On a CPU
each group of equally long texts is computed by two matrix products and a softmax, two
to three times as fast as ``scaled_dot_product_attention`` on texts of up to about 160
tokens. Longer texts use the latter, which does not store all scores.

In layers with local attention, tokens attend only to tokens that are at most ``reach``
positions away. The result is exact, and its cost grows linearly with the length of a
text.
"""

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sklearn_bert._engine.encoding.batch import Batch

# Length of the longest text whose scores are stored, measured on two CPU cores.
LONGEST_STORED = 160
# With a short reach, fewer queries at a time would be many small products.
_FEWEST_QUERIES = 64


def flat_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    batch: Batch,
    scale: float,
    reach: int | None = None,
) -> Tensor:
    """Attend within each sequence of a flat batch.

    Parameters
    ----------
    query, key, value : Tensor of shape (T, n_heads, head_size)
    batch : Batch
        The batch of the T tokens.
    scale : float
        Factor of the scores before the softmax.
    reach : int or None
        The largest distance of a token from those that it attends to. None means that
        it attends to all tokens of its sequence.

    Returns
    -------
    Tensor of shape (T, n_heads, head_size)

    Notes
    -----
    Rows beyond the tokens of the batch are zero in the output.
    """
    kernel = query.device, query.dtype, query.shape[-1]
    if varlen_attention_works(*kernel, is_local=reach is not None):
        return _varlen_attention(query, key, value, batch, scale, reach=reach)
    # Splitting and concatenating makes gradients cheaper than writing in place.
    attended = [
        _attend(q, k, v, scale, reach).transpose(1, 2).flatten(0, 1)
        for q, k, v in zip(
            *(_groups(x, batch) for x in (query, key, value)), strict=True
        )
    ]
    n_tokens = batch.input_ids.shape[0]
    if query.shape[0] > n_tokens:
        # Rows beyond the batch round up the number of rows. They are never read.
        attended.append(torch.zeros_like(query[n_tokens:]))
    return attended[0] if len(attended) == 1 else torch.cat(attended)


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
    tokens, groups = flat[: batch.input_ids.shape[0]], batch.groups
    sizes = [n * length for n, length in groups]
    # A single text is common, and small enough for the time of each call to count.
    parts = (tokens,) if len(groups) == 1 else tokens.split(sizes)
    return [
        part.unflatten(0, shape).transpose(1, 2)
        for part, shape in zip(parts, groups, strict=True)
    ]


def _attend(
    q: Tensor, k: Tensor, v: Tensor, scale: float, reach: int | None = None
) -> Tensor:
    """Plain attention: (rows, heads, queries, size) and (rows, heads, keys, size)."""
    if reach is None or k.shape[2] <= reach + 1:
        return _attend_where(q, k, v, scale, None)
    return _attend_nearby(q, k, v, scale, reach)


def _attend_nearby(q: Tensor, k: Tensor, v: Tensor, scale: float, reach: int) -> Tensor:
    """Attend to the tokens within reach, some queries at a time.

    The keys that none of these queries reaches are left out.
    """
    length = q.shape[2]
    n_queries = max(2 * reach, _FEWEST_QUERIES)
    places = torch.arange(length, device=q.device)
    attended = []
    for start in range(0, length, n_queries):
        some = slice(start, start + n_queries)
        near = slice(max(start - reach, 0), start + n_queries + reach)
        is_near = (places[some, None] - places[near]).abs() <= reach
        attended.append(
            _attend_where(q[:, :, some], k[:, :, near], v[:, :, near], scale, is_near)
        )
    return torch.cat(attended, dim=2)


def _attend_where(
    q: Tensor, k: Tensor, v: Tensor, scale: float, mask: Tensor | None
) -> Tensor:
    """Attend where a mask of shape (queries, keys) is true, or everywhere."""
    if k.shape[2] > LONGEST_STORED or q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
    flat_q, flat_k, flat_v = (x.reshape(-1, x.shape[2], x.shape[3]) for x in (q, k, v))
    scores = torch.baddbmm(
        # Not read, because beta is 0.
        flat_q.new_empty(1, 1, 1),
        flat_q,
        flat_k.transpose(1, 2),
        beta=0.0,
        alpha=scale,
    )
    if mask is not None:
        scores.masked_fill_(~mask, -torch.inf)
    return torch.bmm(scores.softmax(-1), flat_v).view(q.shape)


def _varlen_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    batch: Batch,
    scale: float,
    *,
    reach: int | None = None,
    only_first: bool = False,
) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    query_ends = ends = batch.boundaries
    longest_query = longest = batch.lengths[0]
    if only_first:
        query_ends = torch.arange(len(ends), dtype=ends.dtype, device=ends.device)
        longest_query = 1
    # Passed only where it is needed, because other versions of torch may lack it.
    window: Any = {} if reach is None else {"window_size": (reach, reach)}
    out = varlen_attn(
        query,
        key,
        value,
        query_ends,
        ends,
        longest_query,
        longest,
        scale=scale,
        **window,
    )
    assert isinstance(out, Tensor)  # a tuple only with optional outputs
    return out


@cache
def varlen_attention_works(
    device: torch.device, dtype: torch.dtype, head_size: int, *, is_local: bool = False
) -> bool:
    """Tell whether the flash kernel works here, and separates texts.

    ``is_local`` asks about attention with a reach. That has not been run on a GPU yet.
    """
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
    reach = 1 if is_local else None
    try:
        fast = _varlen_attention(q, k, v, batch, scale, reach=reach)
        first = _varlen_attention(q[[0, 4]], k, v, batch, scale, only_first=True)
    except (ImportError, RuntimeError, TypeError):
        return False
    slow = torch.empty_like(fast)
    for part in (slice(0, 4), slice(4, 7)):
        one = [x[part].transpose(0, 1)[None] for x in (q, k, v)]
        slow[part] = _attend(one[0], one[1], one[2], scale, reach)[0].transpose(0, 1)
    is_close = torch.allclose(fast, slow, rtol=0.0, atol=0.05)
    if is_local:
        return is_close
    return is_close and torch.allclose(first, slow[[0, 4]], rtol=0.0, atol=0.05)
