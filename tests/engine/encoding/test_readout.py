"""The rows that a head reads, and how windows are joined."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.readout import PooledReadout, WordReadout
from sklearn_bert._engine.text.token_sequences import TokenSequences

WINDOWS = TokenSequences(ids=[[1] * 3, [1], [1]], text_index=[0, 0, 1])
WORDS = TokenSequences(
    ids=[[1] * 4, [1] * 3], text_index=[0, 1], word_positions=[[1, 2], [1]]
)


@pytest.mark.parametrize(
    ("pooling", "expected"), [("mean", 2.0), ("cls", 3.0), ("max", 5.0)]
)
def test_mean_pooling_weights_windows_by_tokens(pooling, expected):
    pooled = np.array([[1.0], [5.0], [7.0]])
    joined = PooledReadout(pooling).join_arrays(pooled, WINDOWS, 1)
    assert joined.tolist() == [[expected], [7.0]]


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "compare"])
def test_training_joins_windows_as_encoding_does(pooling):
    readout, rng = PooledReadout(pooling), np.random.default_rng(0)
    rows = rng.normal(size=(3, 5))
    joined = readout.join(
        torch.from_numpy(rows), collate(WINDOWS, range(3)), torch.tensor([0, 0, 1]), 2
    )
    np.testing.assert_allclose(joined, readout.join_arrays(rows, WINDOWS, 1))


@pytest.mark.parametrize(("include_prompt", "expected"), [(True, 2.0), (False, 3.0)])
def test_windows_weigh_by_the_tokens_that_are_pooled(include_prompt, expected):
    windows = TokenSequences(ids=[[1] * 5, [1] * 3], text_index=[0, 0], n_prompt=2)
    readout = PooledReadout("mean", include_prompt)
    rows = np.array([[1.0], [11 / 3 if include_prompt else 9.0]])
    assert readout.join_arrays(rows, windows, 1) == pytest.approx(expected)
    joined = readout.join(
        torch.from_numpy(rows), collate(windows, [0, 1]), torch.tensor([0, 0]), 1
    )
    assert joined.item() == pytest.approx(expected)


def test_a_prompt_is_pooled_if_it_is_declared():
    windows = TokenSequences(ids=[[1] * 3], text_index=[0], n_prompt=1)
    batch, states = collate(windows, [0]), torch.tensor([[6.0], [1.0], [2.0]])
    assert PooledReadout("mean").read(states, batch).item() == 3.0
    assert PooledReadout("mean", include_prompt=False).read(states, batch).item() == 1.5
    assert PooledReadout("cls", include_prompt=False).read(states, batch).item() == 1.0
    assert not PooledReadout("cls", include_prompt=False).only_first


def test_a_word_is_read_at_its_own_token():
    states = torch.arange(14.0).reshape(7, 2)
    rows = WordReadout().read(states, collate(WORDS, [0, 1]))
    assert rows[:, 0].tolist() == [2, 4, 10]
    assert WordReadout().count(WORDS) == [2, 1]


def test_a_text_is_one_row_and_a_word_is_one_row():
    assert PooledReadout("mean").count(WINDOWS) == [1, 1, 1]
    assert PooledReadout("cls").only_first
    assert not PooledReadout("max").only_first
    assert not WordReadout().only_first
