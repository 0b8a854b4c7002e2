"""An encoder with the head that predicts masked tokens."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.masked_lm.model import (
    pack_masked_model,
    unpack_masked_model,
)
from sklearn_bert._engine.masked_lm.start import load_masked_model


@pytest.fixture
def model(tiny_bert):
    files = locate(str(tiny_bert), None)
    return load_masked_model(files, seed=0, user=files)


def scores(model):
    states = torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return model.head(states)


def test_the_head_scores_every_token_of_the_vocabulary(model, vocabulary):
    assert scores(model).shape == (5, len(vocabulary))


def test_the_token_embedding_is_not_among_the_heads_own_parameters(model, vocabulary):
    assert all(
        parameter.shape != (len(vocabulary), 32)
        for _, parameter in model.head.own_parameters()
    )


def test_packing_keeps_encoder_and_head(model):
    again = unpack_masked_model(pack_masked_model(model))
    assert torch.equal(scores(again), scores(model))
    first, second = (x.checkpoint.model.state_dict() for x in (model, again))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_digest_depends_on_the_head(model):
    before = pack_masked_model(model).digest
    with torch.no_grad():
        next(parameter for _, parameter in model.head.own_parameters()).add_(1)
    assert pack_masked_model(model).digest != before
