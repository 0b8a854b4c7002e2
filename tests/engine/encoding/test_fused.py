"""BERT's layers as few operations: which models are refused."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.backends import UnsuitableModelError
from sklearn_bert._engine.encoding.fused import FusedBackend


def fuse(folder):
    checkpoint = load_checkpoint(locate(str(folder), None))
    return FusedBackend(checkpoint, torch.device("cpu"), torch.float32)


def test_the_size_of_a_head_is_that_of_the_model(tiny_bert):
    assert fuse(tiny_bert).head_size == 32 // 4


def test_an_unknown_activation_is_refused(save_model, tmp_path):
    folder = save_model(tmp_path / "silu", hidden_act="silu")
    with pytest.raises(UnsuitableModelError, match="its activation 'silu'"):
        fuse(folder)


def test_layers_of_another_layout_are_refused(save_model, tmp_path):
    folder = save_model(tmp_path / "mpnet", "mpnet", pad_token_id=1)
    with pytest.raises(UnsuitableModelError, match="its layers are not"):
        fuse(folder)
