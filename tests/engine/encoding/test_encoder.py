"""Each family takes the fastest path that gives transformers' numbers."""

import itertools
import logging

import pytest
import torch

from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.checkpoints.locate import locate
from sklearn_bert._engine.encoding import encoder as encoders
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.encoder import (
    FlatBackend,
    PaddedBackend,
    build_encoder,
    choose_backend,
)
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert.exceptions import CheckpointError

CPU = torch.device("cpu")
ALL = (0, 1, 2, 3)

# The path that each family takes, and what its configuration needs beside the sizes.
FAMILIES = {
    "bert": (FusedBackend, {}),
    "roberta": (FusedBackend, {"pad_token_id": 1}),
    "xlm-roberta": (FusedBackend, {"pad_token_id": 1}),
    "camembert": (FusedBackend, {"pad_token_id": 1}),
    "electra": (FusedBackend, {"embedding_size": 16}),
    "distilbert": (FlatBackend, {"dim": 32, "n_layers": 3, "n_heads": 4}),
    "albert": (FlatBackend, {"embedding_size": 16}),
    "mpnet": (PaddedBackend, {"pad_token_id": 1}),
    "deberta": (PaddedBackend, {}),
}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request, save_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("families") / request.param
    kind, changes = FAMILIES[request.param]
    return kind, save_model(folder, request.param, **changes)


@pytest.fixture
def files(family):
    return locate(str(family[1]), None)


def make_batch(encoder, texts):
    sequences = encoder.tokenizer(texts, None, max_length=32, long_text="truncate")
    rows = sorted(range(len(texts)), key=lambda row: -len(sequences.ids[row]))
    return collate(sequences, rows)


def test_family_takes_the_fastest_path_that_is_right(family, files):
    encoder = build_encoder(files, CPU, torch.float32)
    assert type(encoder.backend) is family[0]


def test_the_choice_of_a_path_is_not_logged(files, caplog, monkeypatch):
    # transformers' loggers do not propagate.
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    build_encoder(files, CPU, torch.float32)
    assert caplog.records == []


def test_path_equals_transformers_padded_forward(family, files, texts):
    from transformers import AutoModel

    encoder = build_encoder(files, CPU, torch.float32)
    batch = make_batch(encoder, texts[:12])
    model = AutoModel.from_pretrained(family[1]).eval()
    with torch.inference_mode():
        states = encoder.backend.hidden_states(batch, ALL, only_first=False)
        starts = batch.boundaries.tolist()
        for start, stop in itertools.pairwise(starts):
            alone = model(
                batch.input_ids[None, start:stop], output_hidden_states=True
            ).hidden_states
            for state, expected in zip(states, alone, strict=True):
                torch.testing.assert_close(
                    state[start:stop], expected[0], rtol=0, atol=1e-5
                )


def test_first_tokens_equal_those_of_all(files, texts):
    encoder = build_encoder(files, CPU, torch.float32)
    batch = make_batch(encoder, texts)
    with torch.inference_mode():
        every = encoder.backend.hidden_states(batch, ALL, only_first=False)
        first = encoder.backend.hidden_states(batch, ALL, only_first=True)
    for all_tokens, first_tokens in zip(every, first, strict=True):
        torch.testing.assert_close(all_tokens[batch.first_tokens], first_tokens)


def test_float64_is_computed_in_float64(files, texts):
    encoder = build_encoder(files, CPU, torch.float64)
    with torch.inference_mode():
        states = encoder.backend.hidden_states(
            make_batch(encoder, texts), (3,), only_first=True
        )
    assert states[0].dtype == torch.float64


@pytest.mark.parametrize(
    ("broken", "chosen"),
    [((FusedBackend,), FlatBackend), ((FusedBackend, FlatBackend), PaddedBackend)],
)
def test_a_path_that_mixes_texts_is_not_chosen(tiny_bert, monkeypatch, broken, chosen):
    def mixing(original):
        def run(self, batch, layers, *, only_first):
            states = original(self, batch, layers, only_first=only_first)
            return [state + 1e-3 * state.roll(1, 0) for state in states]

        return run

    for kind in broken:
        monkeypatch.setattr(kind, "hidden_states", mixing(kind.hidden_states))
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    assert type(choose_backend(checkpoint, CPU, torch.float32)) is chosen


def test_an_unknown_activation_is_left_to_transformers(
    save_model, tmp_path, edit_config
):
    folder = save_model(tmp_path / "silu", hidden_act="silu")
    encoder = build_encoder(locate(str(folder), None), CPU, torch.float32)
    assert type(encoder.backend) is FlatBackend


def test_a_causal_model_is_refused(save_model, tmp_path):
    folder = save_model(tmp_path / "gpt2", "gpt2", n_embd=32, n_layer=3, n_head=4)
    with pytest.raises(CheckpointError, match="first token does not see the last"):
        build_encoder(locate(str(folder), None), CPU, torch.float32)


def test_a_model_that_mixes_padded_texts_is_refused(save_model, tmp_path):
    folder = save_model(tmp_path / "fnet", "fnet")
    with pytest.raises(CheckpointError, match="must keep the texts of a batch apart"):
        build_encoder(locate(str(folder), None), CPU, torch.float32)


def test_local_attention_is_left_to_transformers(save_model, tmp_path):
    folder = save_model(tmp_path / "big_bird", "big_bird")
    encoder = build_encoder(locate(str(folder), None), CPU, torch.float32)
    assert type(encoder.backend) is PaddedBackend


def test_padding_puts_each_token_where_it_was(tiny_bert):
    encoder = build_encoder(locate(str(tiny_bert), None), CPU, torch.float32)
    batch = make_batch(encoder, ["good film with a dull plot", "good", "a film"])
    places = encoders._places(batch)
    shape = (len(batch.lengths), batch.lengths[0])
    padded = encoders._pad(batch.input_ids, places, shape)
    starts = batch.boundaries.tolist()
    for row, (start, stop) in enumerate(itertools.pairwise(starts)):
        ids = batch.input_ids[start:stop].tolist()
        assert padded[row].tolist() == ids + [0] * (shape[1] - len(ids))
    assert torch.equal(padded.view(-1)[places], batch.input_ids)


def test_only_the_layers_wanted_are_laid_end_to_end(tiny_bert, monkeypatch):
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    path = PaddedBackend(checkpoint, CPU, torch.float32)
    batch = make_batch(checkpoint, ["good film", "good"])
    expected = path.hidden_states(batch, ALL, only_first=False)
    select, calls = torch.Tensor.index_select, []

    def counting(self, *args):
        calls.append(args)
        return select(self, *args)

    monkeypatch.setattr(torch.Tensor, "index_select", counting)
    (states,) = path.hidden_states(batch, (2,), only_first=False)
    assert torch.equal(states, expected[2])
    assert len(calls) == 1
