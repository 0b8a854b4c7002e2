"""Batches are padded with a text of weight 0."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.batches import TrainingBatch
from sklearn_bert._engine.training.shape_buckets import STEP, pad_to_bucket


def make_part(lengths, *, second_starts=None, words=None, n_targets=None):
    ids = [[7, *range(20, 18 + n), 8] for n in lengths]
    sequences = TokenSequences(
        ids=ids,
        second_starts=second_starts,
        text_index=list(range(len(ids))),
        word_positions=words,
    )
    n = n_targets or len(lengths)
    return TrainingBatch(
        batch=collate(sequences, range(len(ids))),
        owners=None,
        n_texts=len(ids),
        targets=torch.arange(1, n + 1),
        weights=torch.full((n,), 0.5),
    )


@pytest.mark.parametrize(
    ("lengths", "n_tokens"),
    [((5, 3), STEP), ((200, 55), STEP), ((200, 56), 2 * STEP), ((300,), 2 * STEP)],
)
def test_at_least_one_token_is_added(lengths, n_tokens):
    batch = pad_to_bucket(make_part(lengths)).batch
    assert len(batch.input_ids) == len(batch.positions) == n_tokens
    assert batch.boundaries.tolist() == [0, *np.cumsum(lengths), n_tokens]


def test_the_texts_are_unchanged():
    part = make_part((6, 4))
    filled = pad_to_bucket(part)
    for name in ("input_ids", "positions", "boundaries"):
        before, after = getattr(part.batch, name), getattr(filled.batch, name)
        assert torch.equal(after[: len(before)], before)
    assert filled.targets[:2].tolist() == [1, 2]
    assert filled.n_texts == 2


def test_the_added_text_has_weight_0():
    filled = pad_to_bucket(make_part((6, 4)))
    assert filled.weights.tolist() == [0.5, 0.5, 0.0]
    assert filled.targets.tolist() == [1, 2, 0]


def test_the_added_text_repeats_a_token_at_position_0():
    batch = pad_to_bucket(make_part((6, 4))).batch
    assert batch.input_ids[10:].unique().tolist() == [7]
    assert batch.positions[10:].unique().tolist() == [0]


@pytest.mark.parametrize(("longest", "bound"), [(6, STEP), (256, STEP), (257, 512)])
def test_the_lengths_are_upper_bounds(longest, bound):
    batch = pad_to_bucket(make_part((longest, 4))).batch
    assert batch.lengths == (bound,) * 3
    assert bound >= batch.boundaries.diff().max()


def test_pairs_keep_their_segments():
    batch = pad_to_bucket(make_part((6, 4), second_starts=[3, 2])).batch
    assert batch.segments[:10].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 1, 1]
    assert batch.segments[10:].unique().tolist() == [0]


def test_there_are_as_many_words_as_tokens():
    part = make_part((6, 4), words=[[1, 3], [1]], n_targets=3)
    filled = pad_to_bucket(part)
    assert filled.batch.word_positions.tolist() == [1, 3, 7, *[10] * (STEP - 3)]
    assert filled.weights.sum() == 1.5
    assert len(filled.targets) == len(filled.weights) == STEP


def test_a_part_with_more_words_than_tokens_is_unchanged():
    part = make_part((6,), words=[[1] * (STEP + 1)], n_targets=STEP + 1)
    assert pad_to_bucket(part) is part


def test_targets_of_several_outputs_are_padded():
    part = make_part((6, 4))
    part = TrainingBatch(part.batch, None, 2, torch.ones(2, 3), part.weights)
    assert pad_to_bucket(part).targets.tolist() == [[1.0] * 3, [1.0] * 3, [0.0] * 3]
