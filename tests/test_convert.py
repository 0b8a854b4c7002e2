"""The public function that converts checkpoints."""

import huggingface_hub
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sklearn_bert import BertVectorizer, convert_checkpoint
from sklearn_bert.exceptions import CheckpointError, CheckpointNotFoundError


@pytest.fixture
def pickled(own_bert):
    """A checkpoint whose weights are a pickle."""
    torch.save(
        load_file(own_bert / "model.safetensors"), own_bert / "pytorch_model.bin"
    )
    (own_bert / "model.safetensors").unlink()
    return own_bert


def test_a_converted_checkpoint_gives_the_same_features(pickled, tiny_bert, tmp_path):
    with pytest.raises(CheckpointError, match="convert_checkpoint"):
        BertVectorizer(pickled).fit(["a good film"])
    convert_checkpoint(pickled, tmp_path / "new")
    found = BertVectorizer(tmp_path / "new").fit_transform(["a good film"])
    expected = BertVectorizer(tiny_bert).fit_transform(["a good film"])
    np.testing.assert_array_equal(found, expected)


def test_a_checkpoint_of_the_hub_is_downloaded(pickled, tmp_path, monkeypatch):
    asked = []

    def download(model, revision, allow_patterns):
        asked.append((model, revision, "pytorch_model*.bin" in allow_patterns))
        return str(pickled)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    convert_checkpoint("owner/name", tmp_path / "new", revision="v1")
    assert asked == [("owner/name", "v1", True)]
    assert (tmp_path / "new" / "model.safetensors").is_file()


def test_a_path_without_a_folder_is_not_found(tmp_path):
    with pytest.raises(CheckpointNotFoundError, match="there is no folder"):
        convert_checkpoint(tmp_path / "nowhere", tmp_path / "new")
