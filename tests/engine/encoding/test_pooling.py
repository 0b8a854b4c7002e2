"""Pooling reads each sequence's tokens and no others."""

import pytest
import torch

from sklearn_bert._engine.encoding.batch import Batch, collate
from sklearn_bert._engine.encoding.pooling import (
    average_layers,
    average_runs,
    join_windows,
    pool,
    sum_runs,
    sum_runs_by_index,
)
from sklearn_bert._engine.text.token_sequences import TokenSequences

MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
IDS = torch.zeros(6, dtype=torch.int64)
BATCH = Batch((3, 2, 1), torch.tensor([0, 3, 5, 6]), IDS, IDS, None)
HIDDEN = torch.tensor([[1.0], [5.0], [3.0], [2.0], [4.0], [7.0]])


@pytest.mark.parametrize(
    ("pooling", "expected"), [("mean", [3.0, 3.0, 7.0]), ("max", [5.0, 4.0, 7.0])]
)
def test_pooling(pooling, expected):
    assert pool(HIDDEN, BATCH, pooling).flatten().tolist() == expected


def pool_naively(tokens, mode, n_prompt):
    """Pool one sequence, (length, size), by the definition of each mode."""
    weights = torch.arange(1, len(tokens) + 1)[n_prompt:, None].to(tokens)
    tokens = tokens[n_prompt:]
    return {
        "cls": lambda: tokens[0],
        "lasttoken": lambda: tokens[-1],
        "max": lambda: tokens.max(0).values,
        "mean": lambda: tokens.sum(0) / len(tokens),
        "mean_sqrt_len_tokens": lambda: tokens.sum(0) / len(tokens) ** 0.5,
        "weightedmean": lambda: (tokens * weights).sum(0) / weights.sum(),
    }[mode]()


@pytest.fixture
def made():
    """Return a batch of sequences of several lengths, and states of its tokens."""

    def make(n_prompt=0):
        lengths = [9, 7, 7, 4, 3]
        sequences = TokenSequences(ids=[[1] * n for n in lengths], n_prompt=n_prompt)
        generator = torch.Generator().manual_seed(0)
        hidden = torch.randn(sum(lengths), 5, dtype=torch.float64, generator=generator)
        return hidden.requires_grad_(), collate(sequences, range(5)), lengths

    return make


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_prompt", [0, 2])
def test_each_mode_is_its_definition_and_so_is_its_gradient(made, mode, n_prompt):
    hidden, batch, lengths = made(n_prompt)
    parts = hidden.split(lengths)
    expected = torch.stack([pool_naively(part, mode, n_prompt) for part in parts])
    found = pool(hidden, batch, mode)
    torch.testing.assert_close(found, expected)
    slopes = [torch.autograd.grad((x**2).sum(), hidden)[0] for x in (found, expected)]
    torch.testing.assert_close(*slopes)


@pytest.mark.parametrize("mode", ["mean", "mean_sqrt_len_tokens", "weightedmean"])
@pytest.mark.parametrize("n_prompt", [0, 2, 5])
def test_runs_are_averaged_as_groups_of_one_length_are(made, mode, n_prompt):
    hidden, batch, _ = made(n_prompt)
    expected = pool(hidden, batch, mode)
    torch.testing.assert_close(average_runs(hidden, batch, mode), expected)


@pytest.mark.parametrize("mode", MODES)
def test_the_last_token_is_pooled_even_if_it_is_of_the_prompt(made, mode):
    hidden, batch, lengths = made(6)
    rows = pool(hidden, batch, mode)
    last = hidden[[sum(lengths[:k]) - 1 for k in (4, 5)]]
    torch.testing.assert_close(rows[3:], last)


def test_rows_of_several_modes_are_concatenated_in_order(made):
    hidden, batch, _ = made()
    parts = [pool(hidden, batch, mode) for mode in ("max", "cls", "mean")]
    torch.testing.assert_close(pool(hidden, batch, "max+cls+mean"), torch.cat(parts, 1))


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
    # The mean of an empty text is 0. It needs a tokenizer without special tokens.
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


def test_windows_of_one_mode_are_as_one_long_text(made):
    hidden, _, lengths = made()
    weights = torch.tensor([0, 0, 1, 1, 1])
    for mode in ("max", "mean", "mean_sqrt_len_tokens"):
        parts = hidden.split(lengths)
        pooled = torch.stack([pool_naively(part, mode, 0) for part in parts])
        joined = join_windows(pooled, torch.tensor(lengths), weights, 2, mode)
        whole = [torch.cat(parts[:2]), torch.cat(parts[2:])]
        expected = torch.stack([pool_naively(text, mode, 0) for text in whole])
        torch.testing.assert_close(joined, expected)


def test_windows_of_several_modes_are_joined_each_in_its_way():
    pooled = torch.tensor([[1.0, 1.0, 1.0], [4.0, 4.0, 4.0]])
    owners, lengths = torch.tensor([0, 0]), torch.tensor([2, 1])
    joined = join_windows(pooled, lengths, owners, 1, "lasttoken+max+weightedmean")
    assert joined.tolist() == [[2.5, 4.0, 2.0]]


def test_windows_of_several_layers_are_joined_by_the_modes_of_each_layer():
    pooled = torch.tensor([[1.0, 1.0, 10.0, 10.0], [4.0, 4.0, 40.0, 40.0]])
    owners, lengths = torch.tensor([0, 0]), torch.tensor([2, 1])
    joined = join_windows(pooled, lengths, owners, 1, "mean+max", n_layers=2)
    assert joined.tolist() == [[2.0, 4.0, 20.0, 40.0]]


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "compare"])
def test_windows_of_unequal_length_are_joined_as_in_prediction(pooling):
    sequences = TokenSequences(ids=[[1] * 5, [1] * 3, [1] * 2], text_index=[0, 1, 0])
    batch = collate(sequences, [0, 1, 2])
    pooled = torch.tensor([[1.0], [9.0], [8.0]], dtype=torch.float64)
    joined = join_windows(
        pooled, batch.boundaries.diff(), torch.tensor([0, 1, 0]), 2, pooling
    )
    expected = {"cls": 4.5, "mean": 3.0, "max": 8.0, "compare": 3.0}[pooling]
    assert joined.tolist() == [[expected], [9.0]]


def test_layers_are_averaged_with_weights():
    found = average_layers([HIDDEN, 2 * HIDDEN, -HIDDEN], (1.0, 2.0, 1.0))
    torch.testing.assert_close(found, HIDDEN)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(torch.bfloat16, torch.float32), (torch.float64, torch.float64)],
)
def test_layers_are_averaged_in_a_wide_dtype(dtype, expected):
    states = [torch.ones(2, 1, dtype=dtype), torch.full((2, 1), 2.0, dtype=dtype)]
    found = average_layers(states, (1.0, 1023.0))
    assert found.dtype == expected
    assert found[0].item() == pytest.approx(2 - 1 / 1024, abs=1e-6)
