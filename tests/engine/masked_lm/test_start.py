"""The masked language model that continued pre-training starts from."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sklearn_bert import BertMaskedLM
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.masked_lm import start
from sklearn_bert._engine.masked_lm.model import pack_masked_model
from sklearn_bert._engine.masked_lm.model_folder import write_masked_model
from sklearn_bert._engine.masked_lm.start import load_masked_model
from sklearn_bert.exceptions import CheckpointError


@pytest.fixture
def reads(monkeypatch):
    """A list of the checkpoints that are read."""
    reads, load = [], start.load_checkpoint
    monkeypatch.setattr(
        start, "load_checkpoint", lambda files: reads.append(files) or load(files)
    )
    return reads


def load(folder, seed=0):
    files = locate(str(folder), None)
    return load_masked_model(files, seed, user=files)


def scores(model):
    states = torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return model.head(states)


def test_a_missing_head_is_initialized_from_the_seed(tiny_bert):
    first, again, other = (load(tiny_bert, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(scores(again), scores(first))
    assert not torch.equal(scores(other), scores(first))


def test_a_head_of_which_a_part_is_missing_is_refused(tmp_path, tiny_bert):
    whole = pack_masked_model(load(tiny_bert))
    (tmp_path / "saved").mkdir()
    write_masked_model(whole, tmp_path / "saved")
    path = tmp_path / "saved" / "model.safetensors"
    tensors = load_file(path)
    lost = "cls.predictions.transform.dense.weight"
    del tensors[lost]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=f"lacks 1 tensors of its .*{lost} first"):
        load(tmp_path / "saved")


def test_each_model_has_weights_of_its_own(own_bert):
    first = load(own_bert)
    with torch.no_grad():
        for parameter in (
            *first.checkpoint.model.parameters(),
            *first.head.parameters(),
        ):
            parameter.zero_()
    assert scores(load(own_bert)).any()


def test_the_embeddings_of_a_model_are_those_of_its_head(own_bert):
    model = load(own_bert)
    with torch.no_grad():
        model.checkpoint.model.get_input_embeddings().weight.zero_()
    # Only biases are left, which are zeros.
    assert not scores(model).any()


def test_fits_share_one_read_and_start_alike(own_bert, texts, reads):
    models = [
        BertMaskedLM(own_bert, max_steps=2, random_state=0).fit(texts) for _ in range(2)
    ]
    assert len(reads) == 1
    first, again = (model.encoder_.weights for model in models)
    for name in first:
        np.testing.assert_array_equal(again[name], first[name], err_msg=name)
