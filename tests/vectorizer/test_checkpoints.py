"""What fit reads of a checkpoint, and what it leaves to transform."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import CheckpointError, DeviceError


def test_fit_loads_no_weights(own_bert, texts):
    path = own_bert / "model.safetensors"
    tensors = load_file(path)
    next(iter(tensors.values())).fill_(torch.nan)
    save_file(tensors, path, metadata={"format": "pt"})
    vectorizer = BertVectorizer(own_bert).fit(texts)
    with pytest.raises(CheckpointError, match="has NaN"):
        vectorizer.transform(texts)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "has no model.safetensors"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "weights that cannot"),
        (lambda path: (path.parent / "config.json").unlink(), "has no config.json"),
        (lambda path: (path.parent / "tokenizer.json").write_text("{}"), "tokenizer"),
    ],
    ids=["no weights", "cut short", "no config", "no tokenizer"],
)
def test_fit_refuses_files_that_cannot_be_read(own_bert, texts, damage, message):
    damage(own_bert / "model.safetensors")
    with pytest.raises(CheckpointError, match=message):
        BertVectorizer(own_bert).fit(texts)


def test_fit_refuses_a_dtype_that_the_device_lacks(tiny_bert, texts):
    with pytest.raises(DeviceError, match="dtype must be supported by the hardware"):
        BertVectorizer(tiny_bert, device="cpu", dtype="float16").fit(texts)
