"""Attention in blocks equals attention text by text, and so do its gradients."""

import pytest
import torch
import torch.nn.functional as F

from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.training.model import attention as module
from sklearn_bert._engine.training.model.attention import block_attention, plan_blocks

LENGTHS = (19, 17, 9, 8, 8, 3, 1)
N_HEADS, SIZE = 2, 4
SCALE = 0.3


@pytest.fixture
def batch():
    ids = torch.zeros(sum(LENGTHS), dtype=torch.int64)
    ends = torch.tensor([0, *LENGTHS]).cumsum(0).to(torch.int32)
    return Batch(LENGTHS, ends, ids, ids, None)


@pytest.fixture
def qkv():
    """Queries, keys and values of all tokens, and of two rows that are none."""
    generator = torch.Generator().manual_seed(0)
    shape = (sum(LENGTHS) + 2, 3 * N_HEADS * SIZE)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def text_by_text(qkv, reach=None):
    texts = qkv[: sum(LENGTHS)].view(-1, 3, N_HEADS, SIZE).split(LENGTHS)
    attended = []
    for text in texts:
        q, k, v = text.permute(1, 2, 0, 3)
        places = torch.arange(q.shape[1])
        mask = None if reach is None else (places[:, None] - places).abs() <= reach
        attended.append(
            F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=SCALE)
        )
    return torch.cat([text.transpose(0, 1).flatten(1) for text in attended])


def in_blocks(qkv, batch, reach=None):
    blocks = plan_blocks(batch, qkv.dtype, N_HEADS)
    return block_attention(qkv, blocks, SCALE, reach)


@pytest.fixture
def limit_scores(monkeypatch):
    """Return a function that sets limits that the short texts here reach."""

    def limit(per_block, longest_stored=64):
        monkeypatch.setattr(module, "_SCORES_PER_BLOCK", per_block)
        monkeypatch.setattr(module, "_LONGEST_STORED", longest_stored)

    return limit


@pytest.mark.parametrize("scores_per_block", [1, 600, 1 << 20])
def test_blocks_equal_text_by_text(qkv, batch, limit_scores, scores_per_block):
    limit_scores(scores_per_block)
    attended = in_blocks(qkv, batch)[: sum(LENGTHS)]
    torch.testing.assert_close(attended, text_by_text(qkv))


@pytest.mark.parametrize("longest_stored", [0, 8, 64])
@pytest.mark.parametrize("scores_per_block", [1, 600, 1 << 20])
def test_gradients_equal_text_by_text(
    qkv, batch, limit_scores, scores_per_block, longest_stored
):
    limit_scores(scores_per_block, longest_stored)
    direction = torch.randn_like(text_by_text(qkv))
    expected, got = qkv.clone().requires_grad_(), qkv.clone().requires_grad_()
    (text_by_text(expected) * direction).sum().backward()
    (in_blocks(got, batch)[: sum(LENGTHS)] * direction).sum().backward()
    torch.testing.assert_close(got.grad, expected.grad)


# Within reach 1 of the padding of a text of 17 tokens, there is only padding.
@pytest.mark.parametrize("reach", [0, 1, 7, 8, 18])
@pytest.mark.parametrize("longest_stored", [0, 64])
def test_no_token_beyond_the_reach_is_attended_to(
    qkv, batch, limit_scores, longest_stored, reach
):
    limit_scores(600, longest_stored)
    expected, got = qkv.clone().requires_grad_(), qkv.clone().requires_grad_()
    wanted = text_by_text(expected, reach)
    attended = in_blocks(got, batch, reach)[: sum(LENGTHS)]
    torch.testing.assert_close(attended, wanted)
    direction = torch.randn_like(wanted)
    (wanted * direction).sum().backward()
    (attended * direction).sum().backward()
    torch.testing.assert_close(got.grad, expected.grad)


def test_rows_beyond_the_tokens_come_out_as_zeros(qkv, batch):
    assert not in_blocks(qkv, batch)[sum(LENGTHS) :].any()


def test_bfloat16_is_padded_to_whole_vectors(batch):
    blocks = plan_blocks(batch, torch.bfloat16, N_HEADS)
    assert {block.length for block in blocks} == {32}


def test_a_block_holds_no_more_scores_than_fit_the_caches(batch, limit_scores):
    limit_scores(300)
    blocks = plan_blocks(batch, torch.float32, N_HEADS)
    assert all(
        block.n_rows == 1 or block.n_rows * N_HEADS * block.length**2 <= 300
        for block in blocks
    )
    assert sum(block.n_rows for block in blocks) == len(LENGTHS)


def test_bfloat16_is_close_to_float64(qkv, batch):
    attended = in_blocks(qkv.to(torch.bfloat16), batch)[: sum(LENGTHS)]
    torch.testing.assert_close(
        attended.double(), text_by_text(qkv), rtol=0.0, atol=0.03
    )
