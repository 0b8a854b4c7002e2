"""Each family uses the fastest backend that agrees with transformers."""

import itertools
import logging

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.encoding.backends import FlatBackend, PaddedBackend
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.encoder import build_encoder
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.encoding.readout import PooledReadout

CPU = torch.device("cpu")
ALL = (0, 1, 2, 3)

# The backend of each family, and the entries of its configuration besides sizes.
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


def test_a_family_uses_the_fastest_correct_backend(family, files):
    encoder = build_encoder(files, CPU, torch.float32)
    assert type(encoder.backend) is family[0]


def test_the_choice_of_a_backend_is_not_logged(files, caplog, monkeypatch):
    # transformers' loggers do not propagate.
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    build_encoder(files, CPU, torch.float32)
    assert caplog.records == []


def test_a_backend_agrees_with_transformers(family, files, texts):
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


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_weights_of_layers_average_the_last_ones(files, texts, pooling):
    encoder = build_encoder(files, CPU, torch.float32)
    batch = make_batch(encoder, texts)
    readout = PooledReadout(pooling, layer_weights=(1.0, 2.0, -1.0))
    with torch.inference_mode():
        (found,) = encoder.read(batch, (3,), readout)
        states = encoder.backend.hidden_states(batch, ALL, only_first=pooling == "cls")
    expected = (states[1] + 2 * states[2] - states[3]) / 2
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
