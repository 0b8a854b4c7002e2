"""An encoder with the head that predicts masked tokens."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.masked_lm.model import (
    load_masked_model,
    pack_masked_model,
    unpack_masked_model,
)
from sklearn_bert._engine.masked_lm.model_folder import write_masked_model
from sklearn_bert.exceptions import CheckpointError


@pytest.fixture
def model(tiny_bert):
    return load_masked_model(locate(str(tiny_bert), None), seed=0)


def scores(model):
    states = torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return model.head(states)


def test_the_head_scores_every_token_of_the_vocabulary(model, vocabulary):
    assert scores(model).shape == (5, len(vocabulary))


def test_a_missing_head_is_initialized_from_the_seed(tiny_bert, model):
    files = locate(str(tiny_bert), None)
    again, other = (load_masked_model(files, seed=seed) for seed in (0, 1))
    assert torch.equal(scores(again), scores(model))
    assert not torch.equal(scores(other), scores(model))


def test_a_head_of_which_a_part_is_missing_is_refused(tmp_path, model):
    whole = pack_masked_model(model)
    (tmp_path / "saved").mkdir()
    write_masked_model(whole, tmp_path / "saved")
    path = tmp_path / "saved" / "model.safetensors"
    tensors = load_file(path)
    lost = "cls.predictions.transform.dense.weight"
    del tensors[lost]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=f"lacks 1 tensors of its .*{lost} first"):
        load_masked_model(locate(str(tmp_path / "saved"), None), seed=0)


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
