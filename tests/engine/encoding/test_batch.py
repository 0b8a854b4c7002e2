"""Flat batches: every row once, longest first, within the budget."""

import numpy as np
import pytest

from sklearn_bert._engine.encoding.batch import collate, plan_batches
from sklearn_bert._engine.text.token_sequences import TokenSequences

LENGTHS = [3, 9, 1, 9, 4, 30, 2, 2]


@pytest.mark.parametrize(
    "limits",
    [
        {"max_tokens": 10, "max_rows": None},
        {"max_tokens": None, "max_rows": 3},
        {"max_tokens": 1, "max_rows": 1},
        {"max_tokens": 1000, "max_rows": None},
    ],
)
def test_every_row_is_in_one_batch(limits):
    batches = list(plan_batches(LENGTHS, **limits))
    assert sorted(row for batch in batches for row in batch) == list(range(8))


def test_rows_are_sorted_from_long_to_short():
    batches = plan_batches(LENGTHS, max_tokens=12, max_rows=None)
    lengths = [LENGTHS[row] for batch in batches for row in batch]
    assert lengths == sorted(LENGTHS, reverse=True)


def test_token_budget_is_kept_except_for_a_single_row():
    batches = list(plan_batches(LENGTHS, max_tokens=10, max_rows=None))
    sizes = [(len(batch), sum(LENGTHS[row] for row in batch)) for batch in batches]
    assert all(n_tokens <= 10 or n_rows == 1 for n_rows, n_tokens in sizes)


def test_row_budget_is_kept():
    batches = plan_batches(LENGTHS, max_tokens=None, max_rows=3)
    assert [len(batch) for batch in batches] == [3, 3, 2]


def test_no_rows_give_no_batches():
    assert list(plan_batches([], max_tokens=10, max_rows=None)) == []


@pytest.fixture
def batch():
    sequences = TokenSequences(
        ids=[[5, 6], [1, 2, 3], [7, 8]], second_starts=[1, 2, 2], text_index=[0, 1, 2]
    )
    return collate(sequences, [1, 0, 2])


def test_ids_are_concatenated(batch):
    assert batch.input_ids.tolist() == [1, 2, 3, 5, 6, 7, 8]


def test_positions_restart_with_each_sequence(batch):
    assert batch.positions.tolist() == [0, 1, 2, 0, 1, 0, 1]


def test_segments_start_at_the_second_text(batch):
    assert batch.segments.tolist() == [0, 0, 1, 0, 1, 0, 0]


def test_groups_are_runs_of_equal_length(batch):
    assert batch.groups == ((1, 3), (2, 2))


def test_boundaries_end_each_sequence(batch):
    assert batch.boundaries.tolist() == [0, 3, 5, 7]
    assert batch.first_tokens.tolist() == [0, 3, 5]


def test_plan_depends_on_lengths_alone():
    lengths = np.random.RandomState(0).randint(1, 20, size=50).tolist()
    plans = [
        list(plan_batches(lengths, max_tokens=64, max_rows=None)) for _ in range(2)
    ]
    assert plans[0] == plans[1]
