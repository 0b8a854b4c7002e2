"""Pooling reads each sequence's tokens and no others."""

import pytest
import torch

from sklearn_bert._engine.encoding.batch import Batch, collate
from sklearn_bert._engine.encoding.pooling import (
    join_windows,
    pool,
    sum_runs,
    sum_runs_by_index,
)
from sklearn_bert._engine.text.token_sequences import TokenSequences

IDS = torch.zeros(6, dtype=torch.int64)
BATCH = Batch((3, 2, 1), torch.tensor([0, 3, 5, 6]), IDS, IDS, None)
HIDDEN = torch.tensor([[1.0], [5.0], [3.0], [2.0], [4.0], [7.0]])


@pytest.mark.parametrize(
    ("pooling", "expected"), [("mean", [3.0, 3.0, 7.0]), ("max", [5.0, 4.0, 7.0])]
)
def test_pooling(pooling, expected):
    assert pool(HIDDEN, BATCH, pooling).flatten().tolist() == expected


def test_mean_of_bfloat16_is_summed_in_float32():
    # In bfloat16, 256 + 1 is 256.
    ids = torch.zeros(512, dtype=torch.int64)
    ones = torch.ones(512, 1, dtype=torch.bfloat16)
    batch = Batch((512,), torch.tensor([0, 512]), ids, ids, None)
    mean = pool(ones, batch, "mean")
    assert mean.dtype == torch.float32
    assert mean.item() == 1.0


def test_pairs_are_compared_by_the_means_of_their_texts():
    segments = torch.tensor([0, 1, 1, 0, 1, 1])
    batch = Batch((3, 2, 1), torch.tensor([0, 3, 5, 6]), IDS, IDS, segments)
    rows = pool(HIDDEN, batch, "compare").tolist()
    assert rows[:2] == [[1.0, 4.0, 3.0, 4.0], [2.0, 4.0, 2.0, 8.0]]
    # A text of no tokens, as of a tokenizer without special tokens, is a zero.
    assert rows[2] == [0.0, 7.0, 7.0, 0.0]


def test_comparisons_of_bfloat16_are_summed_in_float32():
    # In bfloat16, 256 + 1 is 256.
    ids = torch.zeros(600, dtype=torch.int64)
    segments = (torch.arange(600) >= 300).to(torch.int64)
    batch = Batch((600,), torch.tensor([0, 600]), ids, ids, segments)
    rows = pool(torch.ones(600, 1, dtype=torch.bfloat16), batch, "compare")
    assert rows.dtype == torch.float32
    assert rows.tolist() == [[1.0, 1.0, 0.0, 1.0]]


@pytest.mark.parametrize("sum_up", [sum_runs, sum_runs_by_index])
def test_runs_are_summed_and_may_be_empty(sum_up):
    rows = torch.arange(8.0).reshape(4, 2).requires_grad_()
    sums = sum_up(rows, torch.tensor([3, 0, 1]))
    assert sums.tolist() == [[6.0, 9.0], [0.0, 0.0], [6.0, 7.0]]
    (sums * torch.tensor([[1.0], [2.0], [3.0]])).sum().backward()
    assert rows.grad[:, 0].tolist() == [1.0, 1.0, 1.0, 3.0]


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "compare"])
def test_windows_of_unequal_length_are_joined_as_in_prediction(pooling):
    sequences = TokenSequences(ids=[[1] * 5, [1] * 3, [1] * 2], text_index=[0, 1, 0])
    batch = collate(sequences, [0, 1, 2])
    pooled = torch.tensor([[1.0], [9.0], [8.0]], dtype=torch.float64)
    joined = join_windows(pooled, batch, torch.tensor([0, 1, 0]), 2, pooling)
    expected = {"cls": 4.5, "mean": 3.0, "max": 8.0, "compare": 3.0}[pooling]
    assert joined.tolist() == [[expected], [9.0]]
