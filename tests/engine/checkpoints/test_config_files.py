"""Only known keys of a configuration are used, and only text encoders are read."""

import ast
import importlib
import json
from dataclasses import fields
from pathlib import Path

import pytest

from sklearn_bert._engine.checkpoints import config_files as module
from sklearn_bert._engine.checkpoints.architecture import read_architecture
from sklearn_bert._engine.checkpoints.config_files import (
    make_config,
    puts_out_all_layers,
    read_config,
)
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert.exceptions import CheckpointError

FAMILIES = (
    "bert roberta xlm-roberta camembert distilbert albert electra mpnet deberta "
    "deberta-v2 modernbert"
).split()


@pytest.mark.parametrize(
    "key",
    [
        "transformers_weights",
        "quantization_config",
        "fusion_config",
        "per_layer_config",
        "attn_implementation",
        "_attn_implementation_internal",
        "experts_implementation",
        "name_or_path",
        "trust_remote_code",
        "unheard_of",
    ],
)
def test_keys_that_are_not_known_are_ignored(own_bert, edit_config, key):
    before = read_config(locate(str(own_bert), None)).to_dict()
    edit_config(own_bert, **{key: {"a": 1}})
    assert read_config(locate(str(own_bert), None)).to_dict() == before


def test_old_names_of_sizes_are_known(save_model, tmp_path, edit_config):
    folder = save_model(tmp_path / "model", "distilbert", dim=32, n_layers=3, n_heads=4)
    content = json.loads((folder / "config.json").read_text())
    edit_config(folder, n_layers=5)
    assert "num_hidden_layers" not in content
    assert read_config(locate(str(folder), None)).num_hidden_layers == 5


def names_read(source):
    """Yield the names that a file reads from a configuration."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and len(node.args) > 1:
            if getattr(node.func, "id", "") in ("getattr", "hasattr"):
                place, name = node.args[0], getattr(node.args[1], "value", None)
            elif getattr(node.func, "attr", "") in ("get", "pop"):
                place, name = node.func.value, getattr(node.args[0], "value", None)
            else:
                continue
        elif isinstance(node, ast.Attribute):
            place, name = node.value, node.attr
        else:
            continue
        of = getattr(place, "attr", None) or getattr(place, "id", None)
        if of == "config" or (of == "kwargs" and isinstance(node, ast.Call)):
            yield name


@pytest.mark.parametrize("family", FAMILIES)
def test_every_name_that_a_family_reads_is_known(family):
    from transformers import CONFIG_MAPPING

    kind = CONFIG_MAPPING[family]
    package = kind.__module__.rpartition(".")[0]
    place = Path(importlib.import_module(package).__file__).parent
    read = {
        name
        for path in place.glob("*ing_*.py")
        if path.name.startswith("modeling_")
        for name in names_read(path.read_text())
    }
    read |= {
        name
        for path in place.glob("configuration_*.py")
        for name in names_read(path.read_text())
    }
    known = {field.name for field in fields(kind)} | set(kind.attribute_map)
    known |= {name for name in dir(kind) if not name.startswith("_")}
    assert {name for name in read - known if name[0] != "_"} <= module._UNDECLARED


@pytest.mark.parametrize(
    "changes",
    [
        {"num_hidden_layers": 10**6},
        {"num_hidden_layers": -1},
        {"hidden_size": 10**9},
        {"hidden_size": -32},
        {"vocab_size": 10**9},
        {"vocab_size": -3},
        {"num_attention_heads": 10**18},
        {"max_position_embeddings": 10**12},
        {"type_vocab_size": 10**9},
        {"model_type": "funnel", "block_sizes": [10**5, 10**5]},
        {"model_type": "xlnet", "n_layer": 10**6},
    ],
)
def test_sizes_that_no_model_has_are_refused(own_bert, edit_config, changes):
    edit_config(own_bert, **changes)
    *_, key = changes
    with pytest.raises(CheckpointError, match=f"has a config.json with {key}"):
        read_architecture(locate(str(own_bert), None))


def test_numbers_that_are_not_read_may_be_large(own_bert, edit_config):
    edit_config(own_bert, n_parameters=10**8)
    assert read_config(locate(str(own_bert), None)).num_hidden_layers == 3


@pytest.mark.parametrize("model_type", ["nonsense", "x" * 1000])
@pytest.mark.parametrize("auto_map", [None, {"AutoModel": "own.Model"}])
def test_a_model_that_needs_its_own_code_is_refused_in_short(
    own_bert, edit_config, model_type, auto_map
):
    edit_config(own_bert, model_type=model_type, auto_map=auto_map)
    with pytest.raises(CheckpointError, match=r"needs code .* never run") as caught:
        read_config(locate(str(own_bert), None))
    message = str(caught.value)
    assert model_type[:80] in message
    assert "Restore" not in message
    assert len(message) - len(str(own_bert)) < 500


@pytest.mark.parametrize(
    ("model_type", "why"),
    [
        ("clip", "is not a text encoder"),
        ("vit", "is not a text encoder"),
        ("wav2vec2", "is not a text encoder"),
        ("siglip", "is not a text encoder"),
        ("whisper", "is a decoder or an encoder-decoder"),
        ("bart", "is a decoder or an encoder-decoder"),
        ("t5", "is a decoder or an encoder-decoder"),
        ("mt5", "is a decoder or an encoder-decoder"),
    ],
)
@pytest.mark.parametrize("changes", [{}, {"is_encoder_decoder": False}])
def test_models_of_another_kind_are_refused_by_name(own_bert, model_type, why, changes):
    content = {"model_type": model_type, **changes}
    (own_bert / "config.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=f"a '{model_type}' model, which {why}"):
        read_architecture(locate(str(own_bert), None))


@pytest.mark.parametrize("kind", ["StaticEmbedding", "BoW", "Router"])
@pytest.mark.parametrize("config", [None, {"vocab": []}])
def test_modules_that_are_no_encoder_are_refused_by_name(tmp_path, kind, config):
    modules = [{"path": "", "type": f"sentence_transformers.models.{kind}"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=f"which has a '{kind}' module instead"):
        read_config(locate(str(tmp_path), None))


def test_a_configuration_is_made_of_its_own_content():
    config = make_config({"model_type": "bert", "hidden_size": 48, "auto_map": 3})
    assert config.hidden_size == 48
    assert not hasattr(config, "auto_map")


def test_advice_of_transformers_is_not_shown(
    own_bert, edit_config, messages_of_transformers
):
    edit_config(own_bert, pad_token_id=-1, bos_token_id=-1, eos_token_id=-1)
    read_config(locate(str(own_bert), None))
    assert messages_of_transformers == []


@pytest.mark.parametrize("value", [True, False])
def test_whether_all_layers_are_put_out_is_read(own_bert, edit_config, value):
    assert not puts_out_all_layers(locate(str(own_bert), None))
    edit_config(own_bert, output_hidden_states=value)
    assert puts_out_all_layers(locate(str(own_bert), None)) == value
