"""BERT's layers as few operations: the states of any number of rows, and refusals."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.backends import PaddedBackend, UnsuitableModelError
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.text.token_sequences import TokenSequences


def fuse(folder):
    checkpoint = load_checkpoint(locate(str(folder), None))
    return FusedBackend(checkpoint, torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("capability", ["AVX2", "AVX512"])
@pytest.mark.parametrize("only_first", [False, True])
@pytest.mark.parametrize(
    "lengths", [(9,), (30, 30, 12), (60, 40, 23), (64, 64), (8,) * 130]
)
def test_states_are_those_of_transformers(
    tiny_bert, monkeypatch, capability, only_first, lengths
):
    # Few rows are multiplied by another library than many, depending on the CPU.
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)
    draw = torch.Generator().manual_seed(0)
    ids = [torch.randint(5, 20, (n,), generator=draw).tolist() for n in lengths]
    batch = collate(TokenSequences(ids), range(len(ids)))
    checkpoint = load_checkpoint(locate(str(tiny_bert), None))
    padded = PaddedBackend(checkpoint, torch.device("cpu"), torch.float32)
    with torch.inference_mode():
        (expected,) = padded.hidden_states(batch, (2,), only_first=only_first)
        (states,) = fuse(tiny_bert).hidden_states(batch, (2,), only_first=only_first)
    torch.testing.assert_close(states, expected, rtol=0, atol=1e-5)


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
