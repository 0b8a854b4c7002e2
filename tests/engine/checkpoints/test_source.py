"""A checkpoint on disk and a fitted encoder are read in the same way."""

import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.checkpoints.packed import pack
from sklearn_bert._engine.checkpoints.source import (
    architecture_of,
    check_readable,
    count_parameters,
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


def test_parameters_are_counted_as_loaded(files, packed):
    model = load(files).model
    expected = sum(parameter.numel() for parameter in model.parameters())
    assert [count_parameters(x, 0) for x in (files, packed)] == [expected] * 2


def test_parameters_of_modules_are_counted_if_they_are_used(own_bert, declare):
    dense = {"in_features": 32, "out_features": 4, "bias": True}
    weights = {"linear.weight": torch.zeros(4, 32), "linear.bias": torch.zeros(4)}
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    declare(own_bert, pooling, ("Dense", dense, weights))
    source = locate(str(own_bert), None)
    assert count_parameters(source, 1) - count_parameters(source, 0) == 4 * 32 + 4
