"""The module that is traced computes what the encoder computes."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.encoding.encode import encode_sequences
from sklearn_bert._engine.encoding.encoder import make_encoder
from sklearn_bert._engine.export.contents import LabeledHead
from sklearn_bert._engine.export.onnx.graph import OnnxGraph
from sklearn_bert._engine.text.token_sequences import TokenSequences

IDS = [[2, 20, 30, 40, 3], [2, 50, 3]]
PADDED = torch.tensor([[2, 20, 30, 40, 3], [2, 50, 3, 0, 0]])
INPUTS = [PADDED, (PADDED > 0).long(), torch.zeros_like(PADDED)]
COEF, INTERCEPT = np.linspace(-1, 1, 64).reshape(2, 32), np.array([0.5, -0.5])


def head_of(kind):
    return LabeledHead("text-classification", kind, ("a", "b"), COEF, INTERCEPT)


@pytest.fixture
def features():
    """Return a function that encodes the same sequences without padding."""

    def encode(export):
        checkpoint = load(export.encoder.source)
        encoder = make_encoder(checkpoint, torch.device("cpu"), torch.float32)
        config = export.encoder.encoding(normalize=export.normalize)
        return encode_sequences(encoder, TokenSequences(IDS, None, [0, 1]), config)

    return encode


@pytest.mark.parametrize("layers", [-1, 1, (0, 2, -1)], ids=str)
@pytest.mark.parametrize("normalize", [False, True])
def test_features(tiny_bert, export, features, layers, normalize):
    exported = export(tiny_bert, layers=layers, normalize=normalize)
    graph = OnnxGraph(load(exported.encoder.source), exported, 0)
    (found,) = graph(*INPUTS)
    np.testing.assert_allclose(found, features(exported), rtol=0, atol=1e-5)
    assert graph.output_names == ["features"]


def test_weighted_layers(own_bert, declare, weigh_layers, export, features):
    declare(own_bert, {"word_embedding_dimension": 32, "pooling_mode": "mean"})
    weigh_layers(own_bert, torch.tensor([1.0, 2.0, 4.0]))
    exported = export(own_bert)
    assert exported.encoder.layer_weights is not None
    (found,) = OnnxGraph(load(exported.encoder.source), exported, 0)(*INPUTS)
    np.testing.assert_allclose(found, features(exported), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "activation"),
    [
        ("single_label_classification", lambda logits: logits.softmax(1)),
        ("multi_label_classification", torch.sigmoid),
    ],
    ids=["single", "multi"],
)
def test_logits_and_probabilities(tiny_bert, export, features, kind, activation):
    exported = export(tiny_bert, head=head_of(kind))
    graph = OnnxGraph(load(exported.encoder.source), exported, 0)
    logits, probabilities = graph(*INPUTS)
    expected = features(exported) @ COEF.T + INTERCEPT
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(probabilities, activation(logits))
    assert graph.output_names == ["logits", "probabilities"]


def test_a_regression_has_numbers(tiny_bert, export):
    exported = export(tiny_bert, head=head_of("regression"))
    graph = OnnxGraph(load(exported.encoder.source), exported, 0)
    assert [one.shape for one in graph(*INPUTS)] == [(2, 2)]
    assert graph.output_names == ["predictions"]


def test_the_weights_are_float32(tiny_bert, export):
    exported = export(tiny_bert, head=head_of("regression"))
    checkpoint = load(exported.encoder.source)
    checkpoint.model.double()
    (found,) = OnnxGraph(checkpoint, exported, 0)(*INPUTS)
    assert found.dtype == torch.float32


def test_a_prompt_can_be_left_out(own_bert, declare, export, features):
    settings = {"word_embedding_dimension": 32, "pooling_mode": "mean"}
    declare(own_bert, {**settings, "include_prompt": False})
    exported = export(own_bert)
    source = exported.encoder.source
    (without,) = OnnxGraph(load(source), exported, 2)(*INPUTS)
    (whole,) = OnnxGraph(load(source), exported, 0)(*INPUTS)
    n_tokens = torch.tensor([5, 3])[:, None]
    (tokens,) = OnnxGraph(load(source), export(own_bert, pooling=None), 0)(*INPUTS)
    prompt = tokens[:, :2].sum(1)
    expected = (whole * n_tokens - prompt) / (n_tokens - 2)
    torch.testing.assert_close(without, expected, rtol=0, atol=1e-5)
