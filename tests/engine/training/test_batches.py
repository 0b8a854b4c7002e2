"""Training batches: every text once per epoch, with all of its windows."""

import numpy as np
import torch

from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.batches import BatchMaker, TrainingData

LENGTHS = [3, 9, 1, 9, 4, 30, 2, 2, 5, 8, 6]


def make(lengths=LENGTHS, text_index=None, batch_size=3, seed=0):
    texts = text_index or list(range(len(lengths)))
    n_texts = texts[-1] + 1
    ids = [[row] * length for row, length in enumerate(lengths)]
    data = TrainingData(
        TokenSequences(ids, None, texts),
        targets=torch.arange(n_texts),
        weights=torch.arange(n_texts) / 2,
    )
    return BatchMaker(data, batch_size, seed, collate)


def test_an_epoch_contains_every_text_once():
    epoch = make().epoch()
    assert sorted(text for batch in epoch for text in batch) == list(range(11))


def test_only_one_batch_is_not_full():
    assert sorted(len(batch) for batch in make().epoch()) == [2, 3, 3, 3]


def test_epochs_differ():
    maker = make()
    assert maker.epoch() != maker.epoch()


def test_a_seed_gives_the_same_epochs():
    assert make(seed=5).epoch() == make(seed=5).epoch()
    assert make(seed=5).epoch() != make(seed=6).epoch()


def test_texts_of_similar_length_share_a_batch():
    lengths = np.random.RandomState(0).permutation(240).tolist()
    spreads = [np.ptp(np.array(lengths)[b]) for b in make(lengths).epoch()]
    assert np.median(spreads) < 40


def test_targets_and_weights_follow_their_texts():
    batch = make().collate([2, 5, 0])
    assert batch.batch.lengths == (30, 3, 1)
    assert batch.targets.tolist() == [5, 0, 2]
    assert batch.weights.tolist() == [2.5, 0.0, 1.0]
    assert batch.owners is None


def test_parts_respect_both_limits_but_have_at_least_one_text():
    maker = make()
    assert maker.parts(range(11), 4, None) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
    expected = [[0, 1], [2, 3], [4], [5], [6, 7, 8], [9], [10]]
    assert maker.parts(range(11), 9, 12) == expected


def test_windows_of_a_text_stay_together():
    maker = make([3, 3, 9, 2], text_index=[0, 0, 1, 2])
    assert maker.parts([0, 1, 2], 9, 5) == [[0], [1], [2]]
    assert maker.parts([0, 2, 1], 9, 8) == [[0, 2], [1]]


def test_owners_are_the_texts_of_the_windows():
    batch = make([3, 3, 9, 2], text_index=[0, 0, 1, 2]).collate([2, 0])
    assert batch.targets.tolist() == [0, 2]
    assert batch.batch.lengths == (3, 3, 2)
    assert batch.owners.tolist() == [0, 0, 1]


def test_token_ids_are_distinct():
    assert make().token_ids([5, 2, 5]).tolist() == [2, 5]


def test_shares_have_all_texts_and_as_many_tokens():
    lengths = [100, 300, 200, 400, 600, 500, 800, 700]
    first, second = make(lengths).shares(range(8))
    assert sorted([*first, *second]) == list(range(8))
    n_tokens = [sum(lengths[text] for text in some) for some in (first, second)]
    assert n_tokens == [1800, 1800]


def test_a_small_batch_and_a_single_text_are_one_share():
    assert make([100] * 5).shares(range(5)) == [[0, 1, 2, 3, 4]]
    assert make([1000]).shares([0]) == [[0]]
