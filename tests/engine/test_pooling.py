"""Pooling reads each sequence's tokens and no others."""

import pytest
import torch

from sklearn_bert._engine.batching import Batch
from sklearn_bert._engine.pooling import pool

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
