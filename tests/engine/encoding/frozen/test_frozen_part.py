"""The output of frozen layers is computed once, and the same with any other texts."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.encoding.encoder import build_encoder
from sklearn_bert._engine.encoding.frozen.frozen_part import FrozenPart
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays
from sklearn_bert._engine.encoding.readout import PooledReadout, WordReadout
from sklearn_bert._engine.text.token_sequences import TokenSequences

CPU = torch.device("cpu")
LENGTHS = (3, 9, 17, 9, 60, 4, 9, 25)


@pytest.fixture(scope="module")
def encoder(tiny_bert):
    return build_encoder(locate(str(tiny_bert), None), CPU, torch.float32)


@pytest.fixture
def sequences():
    """Eight sequences; the third and the sixth token of each begin a word."""
    generator = torch.Generator().manual_seed(0)
    ids = [torch.randint(5, 90, (n,), generator=generator).tolist() for n in LENGTHS]
    words = [[place for place in (2, 5) if place < n] for n in LENGTHS]
    index = list(range(len(ids)))
    return TokenSequences(ids, text_index=index, word_positions=words)


@pytest.fixture
def make(encoder):
    """Return a function that makes a frozen part, and a list of what it computes."""
    computed = []

    def make(depth=2, readout=None, room=2**20, **options):
        def compute(batch):
            computed.extend(batch.lengths)
            if readout is not None:
                return encoder.read_rows(batch, (3,), readout)[0]
            return encoder.backend.hidden_states(batch, (depth,), only_first=False)[0]

        return FrozenPart(depth, readout, compute, KeptArrays(room, 0), **options)

    make.computed = computed
    return make


ORDER = sorted(range(len(LENGTHS)), key=lambda row: -LENGTHS[row])


def test_the_output_for_a_sequence_does_not_depend_on_others(make, sequences):
    together = make().output(sequences, ORDER).split([LENGTHS[row] for row in ORDER])
    for row, expected in zip(ORDER, together, strict=True):
        alone = make().output(sequences, [row])
        torch.testing.assert_close(alone, expected, rtol=0, atol=1e-6)


def test_an_encoder_starts_from_the_states(encoder, make, sequences):
    batch = make(depth=2).collate(sequences, ORDER)
    assert batch.states.shape == (sum(LENGTHS), 32)
    plain = encoder.collate(sequences, ORDER)
    for layers, only_first in [((2, 3), False), ((3,), False), ((3, 2), True)]:
        expected = encoder.backend.hidden_states(plain, layers, only_first=only_first)
        # What is below the states is not computed again.
        changed = replace(batch, input_ids=torch.zeros_like(batch.input_ids))
        found = encoder.backend.hidden_states(changed, layers, only_first=only_first)
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize("readout", [PooledReadout("mean"), WordReadout()])
def test_rows_are_those_that_the_readout_reads(encoder, make, sequences, readout):
    batch = make(3, readout).collate(sequences, ORDER)
    (expected,) = encoder.read_rows(encoder.collate(sequences, ORDER), (3,), readout)
    (found,) = encoder.read_rows(batch, (3,), readout)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_each_sequence_is_computed_once(make, sequences):
    part = make()
    first = part.output(sequences, ORDER[:5])
    part.output(sequences, ORDER[3:])
    assert sorted(make.computed) == sorted(LENGTHS)
    again = part.output(sequences, ORDER[:5])
    assert len(make.computed) == len(LENGTHS)
    assert torch.equal(again, first)


def test_equal_sequences_are_computed_once(make, sequences):
    twice = sequences.take([7, 7, 7])
    part = make()
    output = part.output(twice, [0, 1, 2])
    assert make.computed == [25]
    assert torch.equal(output[:25], output[25:50])


def test_what_does_not_fit_is_computed_again_and_is_equal(make, sequences):
    part = make(room=0)
    first, again = part.output(sequences, ORDER), part.output(sequences, ORDER)
    assert len(make.computed) == 2 * len(LENGTHS)
    assert torch.equal(first, again)


def test_a_part_that_keeps_nothing_new_keeps_nothing(make, sequences):
    part = make(keeps_new=False)
    part.output(sequences, ORDER)
    assert len(part.kept) == 0


def test_keys_are_short_whatever_the_length(make, sequences, monkeypatch):
    part, keys = make(), []
    monkeypatch.setattr(part.kept, "write", keys.extend)
    part.output(sequences, ORDER)
    assert {len(key) for key in keys} == {16}


@pytest.mark.parametrize(
    ("readout", "changes"),
    [
        (None, {"second_starts": [2] * 8}),
        (PooledReadout("mean", include_prompt=False), {"n_prompt": 2}),
        (WordReadout(), {"word_positions": [[1]] * 8}),
    ],
    ids=["segments", "prompt", "words"],
)
def test_the_same_tokens_read_in_another_way_are_others(
    make, sequences, readout, changes
):
    part = make(3, readout)
    part.output(sequences, [4])
    other = TokenSequences(
        sequences.ids,
        text_index=sequences.text_index,
        **{"word_positions": sequences.word_positions, **changes},
    )
    output = part.output(other, [4])
    assert make.computed == [60, 60]
    expected = make(3, readout).output(other, [4])
    assert torch.equal(output, expected)


def test_an_autocast_context_does_not_matter(make, sequences):
    expected = make().output(sequences, ORDER)
    with torch.autocast("cpu", torch.bfloat16):
        found = make().output(sequences, ORDER)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_the_output_can_be_trained_on(make, sequences):
    with torch.inference_mode(False):
        output = make().output(sequences, ORDER)
        weight = torch.ones(32, requires_grad=True)
        (output @ weight).sum().backward()
    np.testing.assert_allclose(weight.grad, output.sum(0), rtol=1e-5)


def test_a_batch_that_does_not_fit_into_memory_is_halved(make, sequences):
    part = make()
    compute = part.compute

    def fail_with_many(batch):
        if sum(batch.lengths) > 70:
            raise MemoryError
        return compute(batch)

    object.__setattr__(part, "compute", fail_with_many)
    torch.testing.assert_close(
        part.output(sequences, ORDER),
        make().output(sequences, ORDER),
        rtol=0,
        atol=1e-6,
    )
