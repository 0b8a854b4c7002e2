"""Batches for pre-training depend only on the seed and the step."""

from itertools import chain

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_tokenizer
from sklearn_bert._engine.masked_lm.batches import MaskedBatches
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.runtime.ranks import ALONE, Ranks
from sklearn_bert._engine.text.corpus import TokenCorpus


@pytest.fixture(scope="module")
def make(tiny_bert, texts):
    """Return a function that makes the batches of a seed."""
    tokenizer = load_tokenizer(locate(str(tiny_bert), None))
    corpus = TokenCorpus(iter(texts * 4), tokenizer, 32)
    masker = Masker(tokenizer, 0.15, whole_words=False)
    device = torch.device("cpu")
    return lambda seed, ranks=ALONE: MaskedBatches(
        corpus, masker, 256, seed, device, ranks
    )


def test_an_epoch_contains_every_sequence_once(make):
    batches = make(0)
    rows = [row for some in batches.rows(0, batches.per_epoch) for row in some]
    assert sorted(rows) == list(range(len(rows)))


def test_later_steps_do_not_depend_on_the_first_one(make):
    whole, rest = list(make(0).rows(0, 30)), list(make(0).rows(13, 30))
    assert rest == whole[13:]


def test_another_seed_gives_another_order(make):
    assert list(make(0).rows(0, 5)) != list(make(1).rows(0, 5))


def test_masks_do_not_depend_on_the_part_size(make):
    rows = next(make(0).rows(0, 1))
    ((whole,),) = make(0).make(rows, 0, 10**6).parts
    parted = make(0).make(rows, 0, 64)
    assert len(parted.parts) > 1
    targets = torch.cat([part.targets for (part,) in parted.parts])
    assert torch.equal(targets, whole.targets)
    ids = torch.cat([part.batch.input_ids for (part,) in parted.parts])
    assert torch.equal(ids, whole.batch.input_ids)


def test_the_next_step_has_other_masks(make):
    rows = next(make(0).rows(0, 1))
    first, second = (make(0).make(rows, step, 10**6).parts[0][0] for step in (0, 1))
    assert not torch.equal(first.places, second.places)
    assert make(0).dropout_seed(0) != make(0).dropout_seed(1)


def test_ranks_divide_the_sequences_and_their_masks(make):
    rows = next(make(0).rows(0, 1))
    whole = make(0).make(rows, 0, 10**6)
    ((expected,),) = whole.parts
    steps = [make(0, Ranks(rank, 2)).make(rows, 0, 64) for rank in (0, 1)]
    found = [
        (part.batch.input_ids.tolist(), part.places.tolist(), part.targets.tolist())
        for step in steps
        for (part,) in step.parts
    ]
    ids = sorted(id_ for one, _, _ in found for id_ in one)
    assert ids == sorted(expected.batch.input_ids.tolist())
    targets = sorted(target for _, _, some in found for target in some)
    assert targets == sorted(expected.targets.tolist())
    assert all(step.n_losses == whole.n_losses for step in steps)


def test_a_rank_finds_its_masked_tokens_in_its_batch(make):
    rows = next(make(0).rows(0, 1))
    ((whole,),) = make(0).make(rows, 0, 10**6).parts
    ((own,),) = make(0, Ranks(1, 2)).make(rows, 0, 10**6).parts
    starts, own_starts = whole.batch.boundaries.tolist(), own.batch.boundaries.tolist()
    for place, row in enumerate(range(1, len(rows), 2)):
        inside = (whole.places >= starts[row]) & (whole.places < starts[row + 1])
        shift = own_starts[place] - starts[row]
        expected = (whole.places[inside] + shift).tolist()
        assert set(expected) <= set(own.places.tolist())


def test_ranks_have_different_dropout(make):
    first, second = (make(0, Ranks(rank, 2)).dropout_seed(3) for rank in (0, 1))
    assert first != second
    assert first == make(0).dropout_seed(3)


def test_the_streams_of_a_cpu_share_a_batch(make, monkeypatch):
    rows = next(make(0).rows(0, 1))
    ((whole,),) = make(0).make(rows, 0, 10**6).parts
    monkeypatch.setattr("sklearn_bert._engine.training.step_runner.LEAST_TO_SHARE", 1)
    ((first, second),) = make(0).make(rows, 0, 10**6).parts
    sizes = [len(part.batch.input_ids) for part in (first, second)]
    assert abs(sizes[0] - sizes[1]) <= max(whole.batch.lengths)
    hidden = [
        (part.batch.input_ids[part.places].tolist(), part.targets.tolist())
        for part in (first, second, whole)
    ]
    together = zip(*hidden[0], strict=True), zip(*hidden[1], strict=True)
    assert sorted(chain(*together)) == sorted(zip(*hidden[2], strict=True))
