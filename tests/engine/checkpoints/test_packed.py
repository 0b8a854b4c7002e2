"""A checkpoint as text and arrays, and back."""

import pickle
from dataclasses import replace

import pytest
import torch

from sklearn_bert._engine.checkpoints import packed as packed_module
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.checkpoints.packed import digest_of, pack, unpack
from sklearn_bert._engine.checkpoints.sentence_transformers.prompts import Prompts


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


def test_modules_are_packed_with_the_encoder(own_bert, declare):
    weights = {"linear.weight": torch.rand(4, 32), "linear.bias": torch.rand(4)}
    sizes = {"in_features": 32, "out_features": 4}
    dense = ("Dense", sizes, weights)
    declare(own_bert, {"pooling_mode": "mean"}, dense, ("Normalize", {}, {}))
    checkpoint = load_checkpoint(locate(str(own_bert), None))
    packed = pack(checkpoint)
    rows = torch.rand(3, 32)
    found = unpack(pickle.loads(pickle.dumps(packed))).modules(rows, 2)
    torch.testing.assert_close(found, checkpoint.modules(rows, 2))
    with torch.no_grad():
        next(checkpoint.modules.parameters()).view(-1)[0] += 1
    assert pack(checkpoint).digest != packed.digest


def test_a_pickle_of_the_version_without_modules_can_be_unpacked(checkpoint):
    packed = pickle.loads(pickle.dumps(pack(checkpoint)))
    new = ("include_prompt", "modules", "truncate_dim", "refusal", "layer_weights")
    for name in new:
        del packed.architecture.__dict__[name]
    del packed.__dict__["module_weights"]
    old = unpack(packed)
    assert old.architecture == checkpoint.architecture
    assert len(old.modules) == 0


def test_the_config_names_no_path_of_this_machine(checkpoint, tiny_bert):
    assert str(tiny_bert) not in pack(checkpoint).config


def test_the_digest_follows_the_prompt_of_the_training(checkpoint):
    prompts = checkpoint.architecture.prompts.with_default("query: ")
    architecture = replace(checkpoint.architecture, prompts=prompts)
    prompted = replace(checkpoint, architecture=architecture)
    assert pack(prompted).digest != pack(checkpoint).digest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pooling", "max"),
        ("include_prompt", False),
        ("truncate_dim", 3),
        ("max_length", 7),
        ("refusal", "the module 'x'"),
        ("prompts", Prompts((("title", "title: "),))),
    ],
)
def test_the_digest_follows_what_shapes_the_vectors(checkpoint, name, value):
    assert getattr(checkpoint.architecture, name) != value
    architecture = replace(checkpoint.architecture, **{name: value})
    other = pack(replace(checkpoint, architecture=architecture))
    assert other.digest != pack(checkpoint).digest


def test_the_digest_of_an_architecture_with_fewer_fields_is_the_same(checkpoint):
    packed = pickle.loads(pickle.dumps(pack(checkpoint)))
    for name in ("include_prompt", "modules", "truncate_dim", "refusal", "prompts"):
        del packed.architecture.__dict__[name]
    assert packed.compute_digest() == pack(checkpoint).digest


def test_a_digest_of_an_earlier_version_matches_its_content(checkpoint):
    packed = pack(checkpoint)
    earlier = digest_of(packed.config + packed.tokenizer, packed.weights)
    assert earlier != packed.digest
    assert packed.matches_digest()
    assert replace(packed, digest=earlier).matches_digest()
    assert not replace(packed, digest=earlier, tokenizer="").matches_digest()


def test_weights_are_read_once_for_a_digest_that_matches(checkpoint, monkeypatch):
    packed, hashed = pack(checkpoint), []

    def count(text, arrays):
        hashed.append(text)
        return digest_of(text, arrays)

    monkeypatch.setattr(packed_module, "digest_of", count)
    assert packed.matches_digest()
    assert len(hashed) == 1


def test_weights_of_layers_are_packed_with_the_encoder(own_bert, declare, weigh_layers):
    declare(own_bert, {"pooling_mode": "mean"})
    weigh_layers(own_bert, torch.tensor([1.0, 0.1]))
    checkpoint = load_checkpoint(locate(str(own_bert), None))
    packed = pack(checkpoint)
    found = unpack(pickle.loads(pickle.dumps(packed))).architecture.layer_weights
    assert found == (1.0, pytest.approx(0.1))
    plain = replace(checkpoint.architecture, layer_weights=None)
    assert pack(replace(checkpoint, architecture=plain)).digest != packed.digest


def test_its_repr_is_shown_whole_in_the_html_of_an_estimator(checkpoint):
    assert repr(pack(checkpoint)) == "<layers: 3, features: 32>"
