"""Attention in training on a CPU, with an explicit gradient.

Texts of similar length are padded to a block, which is computed by a few large matrix
products in the forward and backward pass. The size of a block is limited so that its
scores fit into the caches. The scores of long texts are recomputed in the backward
pass, so that memory grows linearly with the length of the texts, not quadratically.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from sklearn_bert._engine.compat.torch_private import softmax_backward
from sklearn_bert._engine.encoding.batch import Batch

# Measured: this many scores fit into the caches.
_SCORES_PER_BLOCK = 1 << 20
_LONGEST_STORED = 64
# bfloat16 is only fast in whole vectors, and each new shape has to be compiled.
_STEPS = {torch.bfloat16: 32}
_STEP = 8
# Added to the score of a token that is out of reach. Finite, because padding may reach
# no token at all.
_OUT_OF_REACH = -1e30


@dataclass(frozen=True)
class Block:
    """Some sequences of a flat batch, padded to one length.

    A flat tensor has one row of ``n_parts * n_heads * head_size`` numbers for each of
    the T tokens of the batch. In the block, each part and head of a sequence is a
    matrix.

    Attributes
    ----------
    n_rows, n_heads, length : int
    tokens : slice
        The tokens of the block in the batch.
    mask : Tensor of shape (n_rows * n_heads, 1, length)
        Added to the scores: 0 for tokens, minus infinity for padding.
    sources : dict of int to Tensor
        For each number of parts, the row of the flat tensor for each position in the
        block, where each part and head of a token is a row.
    targets : dict of int to Tensor
        For each number of parts, the position in the block of each of these rows.
    """

    n_rows: int
    n_heads: int
    length: int
    tokens: slice
    mask: Tensor
    sources: dict[int, Tensor]
    targets: dict[int, Tensor]

    def take(self, flat: Tensor, n_parts: int) -> Tensor:
        """Return the part of a flat tensor that belongs to the block.

        Parameters
        ----------
        flat : Tensor of shape (R, n_parts * n_heads * head_size)
            The first row is for padding, and the next T rows are those of the tokens.

        Returns
        -------
        Tensor of shape (n_parts, n_rows * n_heads, length, head_size)
        """
        pieces = flat.view(flat.shape[0] * n_parts * self.n_heads, -1)
        shape = (n_parts, self.n_rows * self.n_heads, self.length, -1)
        return pieces.index_select(0, self.sources[n_parts]).view(shape)

    def put(self, parts: Tensor, flat: Tensor) -> None:
        """Write the output of :meth:`take` to the tokens of the block in (T, ...)."""
        n_parts, size = parts.shape[0], parts.shape[-1]
        out = flat[self.tokens].view(-1, size)
        torch.index_select(parts.view(-1, size), 0, self.targets[n_parts], out=out)


def plan_blocks(batch: Batch, dtype: torch.dtype, n_heads: int) -> list[Block]:
    """Split a batch into blocks for :func:`block_attention`.

    Parameters
    ----------
    batch : Batch
    dtype : torch.dtype
        The dtype of the queries, keys and values.
    n_heads : int

    Returns
    -------
    list of Block
    """
    step = _STEPS.get(dtype, _STEP)
    return [
        _make_block(
            batch.lengths[rows],
            int(batch.boundaries[rows.start]),
            length,
            dtype,
            n_heads,
        )
        for rows, length in _runs(batch.lengths, step, n_heads)
    ]


def _runs(
    lengths: tuple[int, ...], step: int, n_heads: int
) -> Iterator[tuple[slice, int]]:
    """Yield the sequences of each block, whose rounded lengths are equal."""
    start = 0
    for length, run in groupby(lengths, lambda n: -(-n // step) * step):
        stop = start + len(list(run))
        size = max(_SCORES_PER_BLOCK // (n_heads * length**2), 1)
        for first in range(start, stop, size):
            yield slice(first, min(first + size, stop)), length
        start = stop


def _make_block(
    lengths: tuple[int, ...],
    first_token: int,
    length: int,
    dtype: torch.dtype,
    n_heads: int,
) -> Block:
    n_rows, n_tokens = len(lengths), sum(lengths)
    is_token = np.arange(length) < np.array(lengths)[:, None]
    mask = np.where(is_token, 0, -np.inf).repeat(n_heads, axis=0)
    # The token at each position, counted from 1; padding is row 0.
    tokens = np.zeros(is_token.shape, dtype=np.int64)
    tokens[is_token] = first_token + 1 + np.arange(n_tokens)
    sources, targets = {}, {}
    for n_parts in (1, 3):
        heads = np.arange(n_parts * n_heads).reshape(n_parts, 1, n_heads, 1)
        source = tokens[:, None] * n_parts * n_heads + heads
        sources[n_parts] = torch.from_numpy(source.ravel())
        places = np.arange(source.size).reshape(source.shape)
        targets[n_parts] = torch.from_numpy(
            places.transpose(1, 3, 0, 2)[is_token].ravel()
        )
    return Block(
        n_rows,
        n_heads,
        length,
        slice(first_token, first_token + n_tokens),
        torch.from_numpy(mask[:, None]).to(dtype),
        sources,
        targets,
    )


class _BlockAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, qkv: Tensor, blocks: list[Block], scale: float, reach: int | None
    ) -> Tensor:
        attended = qkv.new_zeros(qkv.shape[0], qkv.shape[1] // 3)
        padded, saved = _with_padding_row(qkv), []
        for block in blocks:
            heads = block.take(padded, 3)
            attention = _attention(heads, block, scale, reach)
            block.put(torch.bmm(attention, heads[2])[None], attended)
            saved += [heads, attention if block.length <= _LONGEST_STORED else None]
        ctx.save_for_backward(*saved)
        ctx.blocks, ctx.scale, ctx.reach = blocks, scale, reach
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved, scale = ctx.saved_tensors, ctx.scale
        grad_qkv = grad.new_zeros(grad.shape[0], 3 * grad.shape[1])
        padded = _with_padding_row(grad)
        for block, heads, attention in zip(
            ctx.blocks, saved[::2], saved[1::2], strict=True
        ):
            if attention is None:
                attention = _attention(heads, block, scale, ctx.reach)
            (of_out,) = block.take(padded, 1)
            of_attention = torch.bmm(of_out, heads[2].transpose(1, 2))
            grad_scores = softmax_backward(of_attention, attention)
            of_heads = torch.empty_like(heads)
            _product(grad_scores, heads[1], scale, of_heads[0])
            _product(grad_scores.transpose(1, 2), heads[0], scale, of_heads[1])
            torch.bmm(attention.transpose(1, 2), of_out, out=of_heads[2])
            block.put(of_heads, grad_qkv)
        return grad_qkv, None, None, None


def block_attention(
    qkv: Tensor, blocks: list[Block], scale: float, reach: int | None = None
) -> Tensor:
    """Attend within each sequence of a flat batch.

    Parameters
    ----------
    qkv : Tensor of shape (R, 3 * n_heads * head_size)
        Queries, keys and values of R rows, the first T of which are tokens.
    blocks : list of Block
        The output of :func:`plan_blocks`.
    scale : float
        Factor of the scores before the softmax.
    reach : int or None
        The largest distance of a token from those that it attends to. None means that
        it attends to all tokens of its sequence.

    Returns
    -------
    Tensor of shape (R, n_heads * head_size)
        Zeros beyond the tokens.
    """
    return _BlockAttention.apply(qkv, blocks, scale, reach)


def _with_padding_row(flat: Tensor) -> Tensor:
    return F.pad(flat, (0, 0, 1, 0))


def _attention(heads: Tensor, block: Block, scale: float, reach: int | None) -> Tensor:
    """Return the attention weights: (rows * heads, length, length)."""
    query, key, _ = heads
    scores = torch.baddbmm(block.mask, query, key.transpose(1, 2), alpha=scale)
    if reach is not None and block.length > reach + 1:
        places = torch.arange(block.length)
        is_far = (places[:, None] - places).abs() > reach
        scores.masked_fill_(is_far, _OUT_OF_REACH)
    return scores.softmax(-1)


def _product(a: Tensor, b: Tensor, scale: float, out: Tensor) -> None:
    """Write ``scale * a @ b`` of stacks of matrices."""
    torch.baddbmm(out, a, b, beta=0, alpha=scale, out=out)
