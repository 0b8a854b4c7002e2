"""What is done with a transformers that lacks a private name."""

from types import SimpleNamespace

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.compat.transformers_private import attention_of


@pytest.fixture
def model(tiny_bert):
    return load_checkpoint(locate(str(tiny_bert), None)).model


def test_the_attention_of_a_model_is_known(model):
    model.set_attn_implementation("eager")
    assert attention_of(model) == "eager"


def test_without_the_name_it_is_one_that_every_model_has(model):
    name = attention_of(SimpleNamespace(config=object()))
    ids = torch.tensor([[2, 5, 3]])
    expected = model(ids).last_hidden_state
    model.set_attn_implementation(name)
    torch.testing.assert_close(model(ids).last_hidden_state, expected)
