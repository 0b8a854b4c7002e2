"""The configuration of a checkpoint, of which only what is known is read.

transformers lets config.json name files, code, kernels to download and other formats of
weights. The keys that a configuration class declares, and the few that its model reads
in addition, are passed on; all others are ignored.
"""

import re
from dataclasses import fields
from importlib import import_module
from typing import Any

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken, read_json, reason
from sklearn_bert._engine.checkpoints.files.module_list import list_modules
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert.exceptions import CheckpointError

_NAME = "config.json"
# Declared keys that are ignored: other outputs, which the encoder does not use.
_IGNORED = frozenset(
    {"chunk_size_feed_forward", "output_hidden_states", "return_dict", "torchscript"}
)
# Keys that models and tokenizers read although no configuration class declares them.
_UNDECLARED = frozenset(
    {
        "attention_head_size",
        "cls_dropout",
        "conv_act",
        "conv_groups",
        "conv_kernel_size",
        "embedding_size",
        "global_attn_every_n_layers",
        "global_rope_theta",
        "head_dim",
        "is_causal",
        "local_rope_theta",
        "norm_rel_ebd",
        "num_labels",
        "partial_rotary_factor",
        "pooler_hidden_size",
        "position_buckets",
        "rope_local_base_freq",
        "rope_scaling",
        "rope_theta",
        "share_att_key",
        "sliding_window_pattern",
        "summary_activation",
        "summary_first_dropout",
        "summary_last_dropout",
        "summary_proj_to_labels",
        "summary_type",
        "summary_use_proj",
        "talking_head",
        "tokenizer_class",
    }
)
# Larger numbers are refused before a model of that size is built. The deepest encoders
# have 48 layers, the largest vocabularies a million tokens.
_LARGEST_NUMBER = 10**7
_MOST_LAYERS = 200
_COUNTS_LAYERS = re.compile("n_layer|layers|groups|group_num|block")
_OF_AN_ENCODER = ("vocab_size", "hidden_size", "num_hidden_layers")


def make_config(content: dict[str, Any]) -> Any:
    """Return the transformers configuration for the content of a config.json."""
    # Some configurations print advice about the ids of special tokens.
    with quietly():
        return _kinds()[content["model_type"]](**_known(content))


def _kinds() -> Any:
    """Return the configuration classes of transformers by type of model."""
    # Everything else that is imported from transformers is imported after this. With an
    # import statement, one of two threads could get the module before it is complete.
    return import_module("transformers").CONFIG_MAPPING


def _known(content: dict[str, Any]) -> dict[str, Any]:
    """Return the keys and values that are passed on."""
    kind = _kinds()[content["model_type"]]
    known = {field.name for field in fields(kind) if field.init}
    known |= set(kind.attribute_map) | _UNDECLARED
    known -= _IGNORED
    return {key: value for key, value in content.items() if key in known}


def read_config(files: CheckpointFiles) -> Any:
    """Return the configuration of a text encoder.

    Parameters
    ----------
    files : CheckpointFiles

    Returns
    -------
    PreTrainedConfig

    Raises
    ------
    CheckpointError
        If the file is missing or damaged, if transformers cannot run the model without
        code from the checkpoint, or if it is a model of another kind.
    """
    name = f"{files.encoder}{_NAME}"
    content = read_json(files, name)
    if content.get("model_type") is None:
        _check_first_module(files)
    if name not in files.digests:
        raise broken(files, f"has no {name}")
    return check_config(files, content)


def check_config(files: CheckpointFiles, content: dict[str, Any]) -> Any:
    """Return the configuration for the content of a config.json, as `read_config`."""
    model_type = content.get("model_type")
    if not isinstance(model_type, str):
        raise broken(files, f"has a {_NAME} that cannot be read (no model_type)")
    if model_type not in _kinds():
        raise needs_code(files, model_type)
    _check_numbers(files, _known(content))
    try:
        config = make_config(content)
    # Each configuration class of transformers raises different errors.
    except Exception as error:
        raise_if_out_of_memory(error)
        raise broken(
            files, f"has a {_NAME} that cannot be read ({reason(error)})"
        ) from error
    _check_kind(files, config)
    return config


def has_code(files: CheckpointFiles) -> bool:
    """Tell whether the configuration names code of the checkpoint."""
    return bool(read_json(files, f"{files.encoder}{_NAME}").get("auto_map"))


def puts_out_all_layers(files: CheckpointFiles) -> bool:
    """Tell whether the configuration asks for the states of all layers."""
    content = read_json(files, f"{files.encoder}{_NAME}")
    return bool(content.get("output_hidden_states"))


def needs_code(files: CheckpointFiles, model_type: str) -> CheckpointError:
    """Return the error about a model that transformers itself cannot run."""
    return CheckpointError(
        f"The checkpoint of model {files.model!r} is a {model_type[:80]!r} model. It "
        "needs code that the installed transformers does not have, and code in a "
        "checkpoint is never run. Choose an encoder such as BERT, RoBERTa or MiniLM, "
        "or upgrade transformers if a later version has this model."
    )


def _check_numbers(files: CheckpointFiles, content: dict[str, Any]) -> None:
    """Refuse sizes that no model has, before one is built of them."""
    for key, value in content.items():
        numbers = [x for x in _as_list(value) if isinstance(x, int)]
        largest = _MOST_LAYERS if _COUNTS_LAYERS.search(key) else _LARGEST_NUMBER
        total = sum(map(abs, numbers))
        if total > largest:
            raise broken(
                files,
                f"has a {_NAME} with {key}={str(value)[:40]}, more than {largest}",
            )
    for key in _OF_AN_ENCODER:
        if isinstance(content.get(key), int) and content[key] < 0:
            raise broken(files, f"has a {_NAME} with {key}={content[key]}")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_first_module(files: CheckpointFiles) -> None:
    """Refuse word vectors and other modules that are not an encoder of transformers."""
    modules = list_modules(files.folder)
    if modules and modules[0].name != "Transformer":
        raise CheckpointError(
            "model must be an encoder such as BERT, RoBERTa or MiniLM. Got "
            f"{files.model!r}, which has a {modules[0].name[:80]!r} module instead. "
            "Choose an encoder checkpoint."
        )


def _check_kind(files: CheckpointFiles, config: Any) -> None:
    """Refuse decoders, and models that read images or sounds."""
    from transformers import MODEL_MAPPING

    if any(
        getattr(place, name, False)
        for place in (type(config), config)
        for name in ("is_encoder_decoder", "is_decoder")
    ):
        raise _of_another_kind(files, config, "is a decoder or an encoder-decoder")
    model: Any = MODEL_MAPPING.get(type(config), None)
    # Some families have several models.
    model = model[0] if isinstance(model, tuple) else model
    sizes = [getattr(config, name, None) for name in _OF_AN_ENCODER]
    reads_ids = getattr(model, "main_input_name", None) == "input_ids"
    if not reads_ids or not all(isinstance(size, int) for size in sizes):
        raise _of_another_kind(files, config, "is not a text encoder")


def _of_another_kind(files: CheckpointFiles, config: Any, why: str) -> CheckpointError:
    return CheckpointError(
        "model must be an encoder such as BERT, RoBERTa or MiniLM. Got "
        f"{files.model!r}, a {config.model_type!r} model, which {why}. Choose an "
        "encoder checkpoint."
    )
