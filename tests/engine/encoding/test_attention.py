"""Flat attention equals attention in each text separately, on every path."""

import pytest
import torch
import torch.nn.functional as F

from sklearn_bert._engine.encoding import attention as module
from sklearn_bert._engine.encoding.attention import (
    first_token_attention,
    flat_attention,
    varlen_attention_works,
)
from sklearn_bert._engine.encoding.batch import Batch

LENGTHS = (9, 4, 4, 1)
LONG = (150, 70, 70, 5)


def make_inputs(lengths):
    generator = torch.Generator().manual_seed(0)
    ids = torch.zeros(sum(lengths), dtype=torch.int64)
    # A view with gaps, as the product of queries, keys and values leaves it.
    qkv = torch.randn(sum(lengths), 3, 2, 8, generator=generator)
    ends = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    return *qkv.unbind(1), Batch(lengths, ends, ids, ids, None)


@pytest.fixture
def inputs():
    return make_inputs(LENGTHS)


def text_by_text(query, key, value, scale, lengths=LENGTHS, reach=1000):
    parts = zip(*(x.split(lengths) for x in (query, key, value)), strict=True)
    attended = []
    for part in parts:
        q, k, v = (x.transpose(0, 1) for x in part)
        places = torch.arange(q.shape[1])
        mask = (places[:, None] - places).abs() <= reach
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
        attended.append(out.transpose(0, 1))
    return attended


@pytest.fixture(params=[0, 4, 160])
def longest_stored(request, monkeypatch):
    """Let texts up to a length have their scores stored, so that short ones test it."""
    monkeypatch.setattr(module, "LONGEST_STORED", request.param)


@pytest.mark.usefixtures("longest_stored")
def test_flat_equals_text_by_text(inputs):
    query, key, value, batch = inputs
    attended = flat_attention(query, key, value, batch, scale=0.3)
    expected = torch.cat(text_by_text(query, key, value, 0.3))
    torch.testing.assert_close(attended, expected)


@pytest.mark.parametrize("lengths", [(9,), (4, 4), LENGTHS])
@pytest.mark.parametrize("n_more", [0, 3])
def test_rows_beyond_the_texts_are_zero(lengths, n_more):
    *qkv, batch = make_inputs(lengths)
    query, key, value = (F.pad(x, (0, 0, 0, 0, 0, n_more), value=7.0) for x in qkv)
    attended = flat_attention(query, key, value, batch, scale=0.3)
    expected = torch.cat(text_by_text(*qkv, 0.3, lengths))
    expected = F.pad(expected, (0, 0, 0, 0, 0, n_more))
    torch.testing.assert_close(attended, expected)


@pytest.mark.usefixtures("longest_stored")
@pytest.mark.parametrize("reach", [0, 3, 40, 68, 69, 149])
def test_no_token_beyond_the_reach_is_attended_to(reach):
    query, key, value, batch = make_inputs(LONG)
    attended = flat_attention(query, key, value, batch, scale=0.3, reach=reach)
    expected = torch.cat(text_by_text(query, key, value, 0.3, LONG, reach))
    torch.testing.assert_close(attended, expected)


@pytest.mark.usefixtures("longest_stored")
def test_first_tokens_equal_those_of_all(inputs):
    query, key, value, batch = inputs
    first = query[batch.first_tokens]
    attended = first_token_attention(first, key, value, batch, scale=0.3)
    expected = torch.stack([part[0] for part in text_by_text(query, key, value, 0.3)])
    torch.testing.assert_close(attended, expected)


def test_a_cpu_has_no_flash_kernel():
    assert not varlen_attention_works(torch.device("cpu"), torch.bfloat16, 32)


# Not run on a GPU yet.
@pytest.mark.gpu
@pytest.mark.parametrize("reach", [0, 3, 40])
def test_flash_kernel_attends_to_no_token_beyond_the_reach(reach):
    query, key, value, batch = make_inputs(LONG)
    device = torch.device("cuda", 0)
    moved = [x.to(device, torch.bfloat16) for x in (query, key, value)]
    attended = flat_attention(*moved, batch.to(device), scale=0.3, reach=reach)
    expected = torch.cat(text_by_text(query, key, value, 0.3, LONG, reach))
    torch.testing.assert_close(attended.float().cpu(), expected, rtol=0, atol=0.05)


@pytest.mark.gpu
def test_flash_kernel_equals_text_by_text(inputs):
    query, key, value, batch = inputs
    device = torch.device("cuda", 0)
    moved = [x.to(device, torch.bfloat16) for x in (query, key, value)]
    assert varlen_attention_works(device, torch.bfloat16, 8)
    attended = flat_attention(*moved, batch.to(device), scale=0.3).float().cpu()
    expected = torch.cat(text_by_text(query, key, value, 0.3))
    torch.testing.assert_close(attended, expected, rtol=0, atol=0.05)
