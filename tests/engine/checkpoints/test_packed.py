"""A checkpoint as text and arrays, and back."""

from dataclasses import replace

import pytest
import torch

from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.checkpoints.locate import locate
from sklearn_bert._engine.checkpoints.packed import pack, unpack


@pytest.fixture
def checkpoint(tiny_bert):
    return load_checkpoint(locate(str(tiny_bert), None))


def test_packing_keeps_every_weight(checkpoint):
    with torch.no_grad():
        for tensor in checkpoint.model.parameters():
            tensor.add_(0.125)
    packed = pack(checkpoint)
    again = unpack(packed).model.state_dict()
    assert again.keys() == packed.weights.keys()
    for name, value in checkpoint.model.state_dict().items():
        assert torch.equal(again[name], value)


def test_a_packed_encoder_tokenizes_as_before(checkpoint, texts):
    again = unpack(pack(checkpoint)).tokenizer
    options = {"max_length": 12, "long_text": "window"}
    tricky = [*texts, "[SEP] [MASK] é 漢字"]
    assert again(tricky, None, **options) == checkpoint.tokenizer(
        tricky, None, **options
    )


def test_the_digest_follows_the_weights(checkpoint):
    before = pack(checkpoint).digest
    assert pack(checkpoint).digest == before
    with torch.no_grad():
        next(checkpoint.model.parameters()).view(-1)[0] += 1
    assert pack(checkpoint).digest != before


def test_the_config_names_no_path_of_this_machine(checkpoint, tiny_bert):
    assert str(tiny_bert) not in pack(checkpoint).config


def test_the_digest_follows_the_prompt_of_the_training(checkpoint):
    prompts = checkpoint.architecture.prompts.with_default("query: ")
    architecture = replace(checkpoint.architecture, prompts=prompts)
    prompted = replace(checkpoint, architecture=architecture)
    assert pack(prompted).digest != pack(checkpoint).digest
