"""Which linear layers get an adapter: all that are called in trained layers."""

import pytest
from torch import nn

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.backend_choice import choose_backend_class
from sklearn_bert._engine.training.adapter.targets import find_targets

OF_A_LAYER = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
]


def find(checkpoint, n_frozen=0):
    return find_targets(checkpoint, choose_backend_class(checkpoint), n_frozen)


@pytest.fixture
def checkpoint(tiny_bert):
    return load_checkpoint(locate(str(tiny_bert), None))


@pytest.mark.parametrize(("n_frozen", "first"), [(0, 0), (1, 0), (2, 1), (3, 2)])
def test_all_linear_layers_of_trained_layers(checkpoint, n_frozen, first):
    expected = [
        f"encoder.layer.{depth}.{name}"
        for depth in range(first, 3)
        for name in OF_A_LAYER
    ]
    assert list(find(checkpoint, n_frozen)) == expected


def test_layers_outside_the_layers_are_left_alone(save_model, tmp_path):
    folder = save_model(tmp_path / "electra", "electra", embedding_size=16)
    checkpoint = load_checkpoint(locate(str(folder), None))
    assert isinstance(checkpoint.model.embeddings_project, nn.Linear)
    assert all(name.startswith("encoder.layer.") for name in find(checkpoint))


def test_a_layer_that_is_not_called_is_left_alone(checkpoint):
    checkpoint.model.encoder.layer[1].unused = nn.Linear(2, 2)
    assert not any("unused" in name for name in find(checkpoint))


def test_the_model_keeps_no_hooks(checkpoint):
    find(checkpoint)
    layers = [x for x in checkpoint.model.modules() if isinstance(x, nn.Linear)]
    assert not any(layer._forward_hooks for layer in layers)
