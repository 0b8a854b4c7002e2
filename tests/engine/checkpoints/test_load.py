"""A damaged checkpoint is refused before any work, whatever the damage."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint, load_tokenizer
from sklearn_bert.exceptions import CheckpointError


def load(folder):
    return load_checkpoint(locate(str(folder), None))


def edit_weights(folder, edit):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def rename(tensors, old, new):
    tensors[new] = tensors.pop(old)


QUERY = "encoder.layer.1.attention.self.query.weight"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "config.json that cannot be"),
        (lambda f: (f / "config.json").write_text("[]"), "that is not a JSON object"),
        (lambda f: (f / "model.safetensors").unlink(), "has no model.safetensors"),
        (
            lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
            r"has only pytorch_model.bin, a pickle",
        ),
        (
            lambda f: (f / "model.safetensors").write_bytes(
                (f / "model.safetensors").read_bytes()[:-100]
            ),
            "has weights that cannot be read",
        ),
        (
            lambda f: (f / "model.safetensors").write_bytes(b"nonsense" * 100),
            "has weights that cannot be read",
        ),
        (
            lambda f: edit_weights(f, lambda t: t.pop(QUERY)),
            f"lacks 1 tensors, {QUERY} first",
        ),
        (
            lambda f: edit_weights(f, lambda t: rename(t, QUERY, QUERY + "s")),
            "lacks 1 tensors",
        ),
        (
            lambda f: edit_weights(f, lambda t: t.update({QUERY: torch.ones(3, 3)})),
            f"has 1 tensors whose shapes do not match .*, {QUERY} first",
        ),
        (
            lambda f: edit_weights(
                f, lambda t: t.update({QUERY.replace("1", "9"): torch.ones(3)})
            ),
            "has 1 encoder tensors that are not in its config.json",
        ),
        (
            lambda f: edit_weights(f, lambda t: t[QUERY].fill_(torch.nan)),
            "has NaN or infinite values in encoder.layer.1",
        ),
        (
            lambda f: [(f / n).unlink() for n in ("vocab.txt", "tokenizer.json")],
            "has no tokenizer file",
        ),
        (
            lambda f: (f / "tokenizer.json").write_text("{}"),
            "has no fast tokenizer that can be read",
        ),
    ],
)
def test_damage_is_refused(own_bert, damage, message):
    damage(own_bert)
    with pytest.raises(CheckpointError, match=message):
        load(own_bert)


@pytest.mark.parametrize(
    "changes",
    [
        {"num_hidden_layers": 2},
        {"num_hidden_layers": 4},
        {"hidden_size": 16},
        {"vocab_size": 99},
        {"max_position_embeddings": 32},
        {"model_type": None},
        {"model_type": "gpt2"},
    ],
)
def test_a_config_of_another_model_is_refused(own_bert, edit_config, changes):
    edit_config(own_bert, **changes)
    with pytest.raises(CheckpointError, match="Restore the folder"):
        load(own_bert)


def test_a_vocabulary_that_is_too_large_is_refused(own_bert, save_model, tmp_path):
    small = save_model(tmp_path / "small", vocab_size=50)
    with pytest.raises(CheckpointError, match="does not match its embedding"):
        load(small)


def test_a_vocabulary_that_is_not_the_models_is_refused(save_model, tmp_path):
    large = save_model(tmp_path / "large", vocab_size=5000)
    with pytest.raises(CheckpointError, match="does not match its embedding"):
        load(large)


@pytest.mark.parametrize("kind", ["is_decoder", "is_encoder_decoder"])
def test_decoders_are_refused(own_bert, edit_config, kind):
    edit_config(own_bert, **{kind: True})
    with pytest.raises(CheckpointError, match="must be an encoder such as BERT"):
        load(own_bert)


def test_errors_name_the_model_the_folder_and_the_remedy(own_bert):
    (own_bert / "config.json").unlink()
    with pytest.raises(CheckpointError) as caught:
        load(own_bert)
    assert str(own_bert) in str(caught.value)
    assert "Restore the folder from its source" in str(caught.value)


def test_a_head_that_is_left_over_is_no_damage(own_bert):
    edit_weights(own_bert, lambda t: t.update({"cls.predictions.bias": torch.ones(3)}))
    assert load(own_bert).architecture.n_layers == 3


def test_a_missing_pooler_is_no_damage(own_bert):
    edit_weights(
        own_bert, lambda t: [t.pop(f"pooler.dense.{n}") for n in ("weight", "bias")]
    )
    assert load(own_bert).architecture.n_layers == 3


def test_code_named_by_a_config_is_ignored(own_bert, edit_config):
    edit_config(
        own_bert,
        auto_map={"AutoModel": "evil.Model"},
        _attn_implementation_internal="evil/kernel",
        attn_implementation="evil/kernel",
    )
    (own_bert / "evil.py").write_text("raise SystemExit('ran')")
    assert load(own_bert).model.config._attn_implementation != "evil/kernel"


def test_loading_is_silent_and_leaves_transformers_as_it_was(own_bert, capsys):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(own_bert)
    assert capsys.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_loading_leaves_the_global_generator_alone(own_bert):
    edit_weights(
        own_bert, lambda t: [t.pop(f"pooler.dense.{n}") for n in ("weight", "bias")]
    )
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    load(own_bert)
    assert torch.equal(torch.rand(1), expected)


def test_an_index_that_leads_elsewhere_is_refused(own_bert):
    index = {"metadata": {}, "weight_map": {QUERY: "weights.bin"}}
    (own_bert / "model.safetensors").rename(own_bert / "model-1.safetensors")
    (own_bert / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match=r"names 'weights.bin', no safetensors"):
        load(own_bert)


@pytest.mark.parametrize(
    "changes",
    [{"return_dict": False}, {"chunk_size_feed_forward": 2}, {"torchscript": True}],
)
def test_settings_of_other_outputs_are_ignored(own_bert, edit_config, changes):
    edit_config(own_bert, **changes)
    assert load(own_bert).architecture.n_layers == 3


@pytest.mark.parametrize("changes", [{"hidden_size": "32"}, {"hidden_act": "nonsense"}])
def test_values_that_make_no_model_are_refused(own_bert, edit_config, changes):
    edit_config(own_bert, **changes)
    with pytest.raises(CheckpointError, match=r"has a config.json"):
        load(own_bert)


def test_weights_are_read_from_the_hashed_file_only(own_bert, edit_config):
    expected = load(own_bert).model.state_dict()[QUERY].clone()
    other = load_file(own_bert / "model.safetensors")
    other[QUERY] += 1
    save_file(other, own_bert / "other.safetensors", metadata={"format": "pt"})
    torch.save(other, own_bert / "adapter_model.bin")
    (own_bert / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    for name in ("other.safetensors", "adapter_model.bin", "../elsewhere.safetensors"):
        edit_config(own_bert, transformers_weights=name)
        assert torch.equal(load(own_bert).model.state_dict()[QUERY], expected)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.txt"])
def test_files_that_change_after_they_were_hashed_are_refused(own_bert, name):
    files = locate(str(own_bert), None)
    if name == "model.safetensors":
        edit_weights(own_bert, lambda t: t[QUERY].add_(1))
    else:
        with open(own_bert / name, "a") as file:
            file.write("\n")
    with pytest.raises(CheckpointError, match=f"has a {name} that changed while"):
        load_checkpoint(files)


def split_into_shards(folder):
    """Replace the weights by two shards and their index."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    where = {
        key: f"model-0000{1 + k % 2}-of-00002.safetensors"
        for k, key in enumerate(sorted(tensors))
    }
    for name in set(where.values()):
        part = {key: tensors[key] for key in where if where[key] == name}
        save_file(part, folder / name, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    return index


def test_shards_are_read(own_bert):
    expected = load(own_bert).model.state_dict()
    split_into_shards(own_bert)
    found = load(own_bert).model.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "is not a JSON object"),
        ("{}", "without a weight_map"),
        ('{"weight_map": []}', "without a weight_map"),
        ('{"weight_map": {}}', "without a weight_map"),
        ('{"weight_map": [1, 2]}', "without a weight_map"),
        ('{"weight_map": {"a": 1}}', "names 1, no safetensors"),
        ('{"weight_map": {"a": ["b"]}}', "names .'b'., no safetensors"),
        ('{"weight_map": {"a": "../x.safetensors"}}', "names '../x.safetensors', no"),
    ],
)
def test_an_index_that_is_none_is_refused(own_bert, content, message):
    split_into_shards(own_bert).write_text(content)
    with pytest.raises(CheckpointError, match=message):
        load(own_bert)


def test_a_shard_that_is_missing_is_named(own_bert):
    split_into_shards(own_bert)
    (own_bert / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"names 'model-00002-of-00002\.s"):
        load(own_bert)


def test_a_checkpoint_with_only_pickles_can_be_converted(own_bert):
    (own_bert / "model.safetensors").unlink()
    (own_bert / "pytorch_model-00001-of-00002.bin").touch()
    with pytest.raises(CheckpointError, match="a pickle, which") as caught:
        load(own_bert)
    assert f"convert_checkpoint('{own_bert}', folder)" in str(caught.value)
    assert "Restore" not in str(caught.value)


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.int64, torch.float8_e4m3fn, torch.bool, torch.complex64]
)
def test_weights_of_other_dtypes_are_refused_by_name(own_bert, dtype):
    edit_weights(own_bert, lambda t: t.update({QUERY: t[QUERY].to(dtype)}))
    with pytest.raises(CheckpointError, match=f"Got {QUERY} of dtype .* not quantized"):
        load(own_bert)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_these_dtypes_are_read(own_bert, dtype):
    edit_weights(own_bert, lambda t: t.update({k: t[k].to(dtype) for k in [*t]}))
    assert load(own_bert).model.state_dict()[QUERY].dtype == torch.float32


def test_integers_that_old_files_contain_are_no_damage(own_bert):
    ids = torch.arange(64)[None]
    edit_weights(own_bert, lambda t: t.update({"embeddings.position_ids": ids}))
    assert load(own_bert).architecture.n_layers == 3


def test_a_configuration_of_a_far_larger_model_is_refused(own_bert, edit_config):
    edit_config(own_bert, vocab_size=10**7, hidden_size=10**4, num_attention_heads=1)
    with pytest.raises(CheckpointError, match=r"describes a model of \d{12}"):
        load(own_bert)


def test_weights_of_another_model_that_has_its_own_code_are_said_to_be(
    own_bert, edit_config
):
    edit_config(own_bert, auto_map={"AutoModel": "own.Model"})
    edit_weights(own_bert, lambda t: t.pop(QUERY))
    with pytest.raises(CheckpointError, match=r"lacks 1 tensors.* never run and may"):
        load(own_bert)


def test_the_encoder_has_the_tokenizer_that_was_already_loaded(own_bert):
    files = locate(str(own_bert), None)
    tokenizer = load_tokenizer(files)
    assert load_checkpoint(files).tokenizer is tokenizer
