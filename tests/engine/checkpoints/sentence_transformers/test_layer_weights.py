"""The weights of a mean of layers are read, or refused."""

import json

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.sentence_transformers.layer_weights import (
    averages_layers,
    read_layer_weights,
)
from sklearn_bert.exceptions import CheckpointError

WEIGHTS = torch.tensor([1.0, -0.5])


@pytest.fixture
def write(own_bert, declare, weigh_layers):
    """Return a function that declares weights of layers."""
    declare(own_bert, {"pooling_mode": "mean"})

    def write(weights=WEIGHTS, **settings):
        weigh_layers(own_bert, weights, **settings)
        return locate(str(own_bert), None)

    return write


@pytest.mark.parametrize("weights", [(1.0, 2.0, 3.0, 4.0), (1.0, -0.5), (2.0,)])
def test_there_is_one_weight_for_each_layer_to_the_last(write, weights):
    files = write(torch.tensor(weights))
    assert read_layer_weights(files, "weighted/", 3) == weights


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"n_layers": 12}, "num_hidden_layers=12 for an encoder of 3 layers"),
        ({"num_hidden_layers": None}, "num_hidden_layers=None for"),
        ({"layer_start": -1}, "layer_start=-1, which is not from 0 to 3"),
        ({"layer_start": 4}, "layer_start=4, which is not from 0 to 3"),
        ({"layer_start": True}, "layer_start=True, which"),
        ({"layer_start": 1}, r"layer_weights of shape \(2,\), not \(3,\)"),
        ({"weights": WEIGHTS * torch.inf}, "NaN or infinite values in layer_weights"),
        ({"weights": torch.tensor([1.0, -1.0])}, "in weighted/ whose sum is 0"),
    ],
)
def test_what_does_not_fit_the_encoder_is_refused(write, settings, match):
    files = write(**settings)
    with pytest.raises(CheckpointError, match=match):
        read_layer_weights(files, "weighted/", 3)


@pytest.mark.parametrize(
    ("of_config", "settings", "expected"),
    [
        (None, {}, False),
        (False, {}, False),
        (True, {}, True),
        (True, {"config_args": {}}, True),
        (False, {"config_args": {"output_hidden_states": True}}, True),
        (True, {"config_kwargs": {"output_hidden_states": False}}, False),
        (
            False,
            {
                "config_args": {"output_hidden_states": True},
                "config_kwargs": {"output_hidden_states": False},
            },
            True,
        ),
    ],
)
def test_the_encoder_is_told_to_put_out_all_layers(
    own_bert, edit_config, of_config, settings, expected
):
    edit_config(own_bert, output_hidden_states=of_config)
    (own_bert / "sentence_bert_config.json").write_text(json.dumps(settings))
    assert averages_layers(locate(str(own_bert), None)) == expected
