"""The weights of a module are read, or refused by name."""

import hashlib

import pytest
import torch
from safetensors.torch import save_file

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.disk import sha256_of
from sklearn_bert._engine.checkpoints.sentence_transformers.module_weights import (
    read_tensors,
)
from sklearn_bert.exceptions import CheckpointError

FILE = "2_Dense/model.safetensors"
TENSORS = {"weight": torch.rand(4, 8), "bias": torch.rand(4)}
SHAPES = {name: tensor.shape for name, tensor in TENSORS.items()}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "2_Dense").mkdir()
    return CheckpointFiles("own", tmp_path, "directory", None, {})


def save(files, **changes):
    kept = {k: one for k, one in {**TENSORS, **changes}.items() if one is not None}
    save_file(kept, files.folder / FILE)
    files.digests[FILE] = sha256_of(files.folder, FILE)


def read(files):
    return read_tensors(files, "2_Dense/", "Dense", SHAPES)


def test_tensors_are_read_in_float32(files):
    save(files, bias=TENSORS["bias"].half())
    found = read(files)
    assert {one.dtype for one in found.values()} == {torch.float32}
    torch.testing.assert_close(found["weight"], TENSORS["weight"])
    torch.testing.assert_close(found["bias"], TENSORS["bias"].half().float())


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"bias": None}, "lacks the tensor bias"),
        ({"more": torch.rand(4)}, "has a tensor more that a Dense does not have"),
        ({"bias": torch.rand(4, 8)}, r"bias of shape \(4, 8\), not \(4,\)"),
        ({"bias": torch.ones(4, dtype=torch.int64)}, "not of floats"),
        ({"bias": torch.full([4], torch.nan)}, "NaN or infinite values in bias"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(files, changes, match):
    save(files, **changes)
    with pytest.raises(CheckpointError, match=match):
        read(files)


def test_a_missing_file_is_refused(files):
    with pytest.raises(CheckpointError, match=r"has no 2_Dense/model.safetensors"):
        read(files)


def test_a_damaged_file_is_refused(files):
    (files.folder / FILE).write_bytes(b"damaged")
    files.digests[FILE] = hashlib.sha256(b"damaged").hexdigest()
    with pytest.raises(CheckpointError, match=r"2_Dense/model.safetensors that cannot"):
        read(files)


def test_a_file_that_changed_after_it_was_hashed_is_refused(files):
    save(files)
    files.digests[FILE] = "0" * 64
    with pytest.raises(CheckpointError, match="changed while it was read"):
        read(files)
