"""transformers' modules over padded and flat batches."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.backends import FlatBackend, PaddedBackend
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.text.token_sequences import TokenSequences

CPU = torch.device("cpu")
ALL = (0, 1, 2, 3)
SEQUENCES = TokenSequences(
    [[2, 9, 8, 7, 6, 3], [2, 9, 3], [2, 8, 3]], text_index=[0, 1, 2]
)


def make(kind, folder):
    checkpoint = load_checkpoint(locate(str(folder), None))
    return kind(checkpoint, CPU, torch.float64)


@torch.inference_mode()
@pytest.mark.parametrize("kind", [FlatBackend, PaddedBackend])
def test_states_of_a_batch_are_those_of_its_sequences(tiny_bert, kind):
    backend = make(kind, tiny_bert)
    together = backend.hidden_states(
        collate(SEQUENCES, [0, 1, 2]), ALL, only_first=False
    )
    alone = [
        backend.hidden_states(collate(SEQUENCES, [row]), ALL, only_first=False)
        for row in range(3)
    ]
    for states, expected in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(states, torch.cat(expected))


@torch.inference_mode()
def test_only_requested_layers_are_concatenated(tiny_bert, monkeypatch):
    backend = make(PaddedBackend, tiny_bert)
    batch = collate(SEQUENCES, [0, 1, 2])
    expected = backend.hidden_states(batch, ALL, only_first=False)
    select, calls = torch.Tensor.index_select, []

    def counting(self, *args):
        calls.append(args)
        return select(self, *args)

    monkeypatch.setattr(torch.Tensor, "index_select", counting)
    (states,) = backend.hidden_states(batch, (2,), only_first=False)
    assert torch.equal(states, expected[2])
    assert len(calls) == 1


@torch.inference_mode()
@pytest.mark.parametrize("kind", [FlatBackend, PaddedBackend])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_states_above_known_ones_are_those_from_the_bottom(tiny_bert, kind, depth):
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    backend = kind(checkpoint, CPU, torch.float64)
    backend.start_above(checkpoint.model.encoder.layer[:depth])
    batch = collate(SEQUENCES, [0, 1, 2])
    layers = tuple(range(depth, 4))
    expected = backend.hidden_states(batch, layers, only_first=False)
    known = replace(
        batch,
        # Nothing below is computed from them.
        input_ids=torch.zeros_like(batch.input_ids),
        states=expected[0],
        depth=depth,
    )
    found = backend.hidden_states(known, layers, only_first=False)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)
    # The next batch starts from the bottom again.
    again = backend.hidden_states(batch, layers, only_first=False)
    torch.testing.assert_close(again[-1], expected[-1])


@pytest.mark.parametrize("kind", [FlatBackend, PaddedBackend])
def test_threads_start_from_states_of_their_own(tiny_bert, kind):
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    backend = kind(checkpoint, CPU, torch.float64)
    layers = checkpoint.model.encoder.layer
    backend.start_above(layers[:2])

    @torch.inference_mode()
    def run(batch):
        return backend.hidden_states(batch, (2, 3), only_first=False)

    batches = [collate(SEQUENCES, [row]) for row in (1, 2)]
    expected = [run(batch) for batch in batches]
    known = [
        replace(batch, states=states[0], depth=2)
        for batch, states in zip(batches, expected, strict=True)
    ]
    # Both have been given their states before either reads them.
    both = Barrier(2)
    layers[0].register_forward_pre_hook(lambda *_: both.wait(timeout=60) and None)
    with ThreadPoolExecutor(2) as pool:
        found = [*pool.map(run, known)]
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a[-1], b[-1])
