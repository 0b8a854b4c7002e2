"""A checkpoint on disk and a fitted encoder are read in the same way."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.checkpoints.packed import pack
from sklearn_bert._engine.checkpoints.source import (
    architecture_of,
    check_readable,
    digests_of,
    load,
    tokenizer_of,
)
from sklearn_bert.exceptions import CheckpointError


@pytest.fixture(scope="module")
def files(tiny_bert):
    return locate(str(tiny_bert), None)


@pytest.fixture(scope="module")
def packed(files):
    return pack(load_checkpoint(files))


def test_both_have_the_same_architecture(files, packed):
    assert architecture_of(files) == architecture_of(packed)


def test_both_have_the_same_tokenizer(files, packed):
    options = {"max_length": 16, "long_text": "truncate"}
    first, second = (
        tokenizer_of(source)(["a good film"], None, **options)
        for source in (files, packed)
    )
    assert first == second


def test_both_have_the_same_weights(files, packed):
    first, second = (load(source).model.state_dict() for source in (files, packed))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_each_has_checksums_of_what_it_holds(files, packed):
    assert "model.safetensors" in digests_of(files)
    assert digests_of(packed) == {"weights": packed.digest}


def test_missing_weights_are_found_without_reading_any(own_bert):
    (own_bert / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors"):
        check_readable(locate(str(own_bert), None))
