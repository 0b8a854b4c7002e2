"""Whether the parts of an estimator can be used, and belong together.

Files come from others. What a checkpoint must not contain must not be in them either,
and weights that do not fit their configuration would only be noticed by predictions, or
replaced by random numbers.
"""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from sklearn_bert._engine.checkpoints.architecture import shape_model
from sklearn_bert._engine.checkpoints.config_files import check_config
from sklearn_bert._engine.checkpoints.files.hub import is_repo_id
from sklearn_bert._engine.checkpoints.files.locate import CheckpointFiles
from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint
from sklearn_bert._engine.checkpoints.record import CheckpointRecord
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    ACTIVATIONS,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.modules import shape_modules
from sklearn_bert._engine.checkpoints.tokenizer_rules import check_components
from sklearn_bert._engine.checkpoints.weights import remove_pooler
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel, shape_head

# The largest vocabulary whose size a configuration may declare.
_MOST_TOKENS = 10**7
# Of checkpoints whose name is a Hub id.
_HUB_SOURCES = {"bundle", "cache", "hub"}
_COMMIT = re.compile("[0-9a-f]{40}")
# What errors about a checkpoint call that of a file.
_FILES = CheckpointFiles("of the file", Path(), "estimator", None, {})


def check_tokenizer(text: str) -> None:
    """Refuse a tokenizer that a checkpoint must not have.

    Parameters
    ----------
    text : str
        Content of tokenizer.json.

    Raises
    ------
    ValueError
    """
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("a tokenizer that is not a JSON object")
    # Both are done elsewhere. A length in the file could be of any size.
    if content.get("padding") or content.get("truncation"):
        raise ValueError("a tokenizer that pads or truncates")
    model = content.get("model")
    if isinstance(model, dict) and model.get("dropout"):
        raise ValueError("a tokenizer with dropout, whose tokens are random")
    check_components(_FILES, content, _MOST_TOKENS)


def check_parts(attributes: Mapping[str, Any]) -> None:
    """Refuse fitted attributes that cannot be used together.

    Parameters
    ----------
    attributes : mapping of str to object

    Raises
    ------
    ValueError
    """
    for value in attributes.values():
        if isinstance(value, PackedCheckpoint):
            _check_encoder(value)
        if isinstance(value, PackedMaskedModel):
            config = _check_encoder(value.encoder)
            _check_weights("a head", value.head, shape_head(config))
        if isinstance(value, CheckpointRecord):
            _check_record(value)
    adapter, encoder = (attributes.get(name) for name in ("adapter_", "encoder_"))
    if adapter is not None and isinstance(encoder, PackedCheckpoint):
        adapter.check_fits(encoder.weights)
    if "class_count_" in attributes:
        _check_counts(attributes)
    if "coef_" in attributes:
        _check_head(attributes)
    if "estimator_" in attributes:
        _check_target_encoder(attributes)
    if "_readout" in attributes:
        declared = attributes["encoder_"].architecture.layer_weights
        if attributes["_readout"].layer_weights not in (None, declared):
            raise ValueError("other weights of layers than those of the encoder")


def _check_record(record: CheckpointRecord) -> None:
    """Refuse a record that no fit makes, and that would be markup in a model card."""
    if record.commit is not None and not _COMMIT.fullmatch(record.commit):
        raise ValueError("a commit that is not of 40 hexadecimal digits")
    if record.source in _HUB_SOURCES:
        is_name = is_repo_id(record.model)
    elif record.source == "estimator":
        is_name = record.model.isidentifier()
    elif record.source == "directory":
        is_name = True
    else:
        raise ValueError(f"a checkpoint of an unknown source {record.source[:50]!r}")
    if not is_name:
        raise ValueError(f"a checkpoint of the impossible name {record.model[:200]!r}")


def _check_counts(attributes: Mapping[str, Any]) -> None:
    """Check that there is one number of samples for each class."""
    counts, classes = attributes["class_count_"], attributes.get("classes_", ())
    if counts.shape != (len(classes),) or counts.dtype.kind not in "iu":
        raise ValueError("numbers of samples that do not match its classes")


def _check_encoder(packed: PackedCheckpoint) -> Any:
    """Check a configuration, a tokenizer and weights; return the configuration."""
    architecture = packed.architecture
    content = json.loads(packed.config)
    if not isinstance(content, dict):
        raise ValueError("a configuration that is not a JSON object")
    config = check_config(_FILES, content)
    model = shape_model(config)
    remove_pooler(model)
    _check_weights("an encoder", packed.weights, model.state_dict())
    if any(one.activation not in ACTIVATIONS for one in architecture.modules):
        raise ValueError("a module with an unknown activation")
    more = shape_modules(architecture.modules).state_dict()
    _check_weights("modules", packed.module_weights or {}, more)
    _check_layer_weights(architecture.layer_weights, config.num_hidden_layers)
    check_tokenizer(packed.tokenizer)
    n_rows = model.get_input_embeddings().weight.shape[0]
    if packed.make_tokenizer().largest_id >= n_rows:
        raise ValueError("a vocabulary that is larger than the embedding matrix")
    if not packed.matches_digest():
        raise ValueError("an encoder that does not match its SHA-256")
    sizes = (architecture.hidden_size, architecture.n_layers)
    if sizes != (config.hidden_size, config.num_hidden_layers):
        raise ValueError("an architecture that does not match its configuration")
    return config


def _check_layer_weights(weights: tuple[float, ...] | None, n_layers: int) -> None:
    """Refuse weights that are not those of the last layers."""
    if weights is None:
        return
    total = sum(weights)
    is_one_each = 1 <= len(weights) <= n_layers + 1
    if not is_one_each or not math.isfinite(total) or total == 0:
        raise ValueError("weights of layers that do not match its layers")


def _check_weights(
    part: str, arrays: Mapping[str, np.ndarray], wanted: Mapping[str, Tensor]
) -> None:
    """Refuse arrays that are missing, unknown, or of the wrong shape or kind."""
    for name in sorted({*arrays, *wanted}):
        array, like = arrays.get(name), wanted.get(name)
        if array is None or like is None:
            state = "without" if array is None else "with"
            raise ValueError(f"{part} {state} weights of the name {name[:200]!r}")
        is_float = array.dtype.kind == "f"
        if array.shape != tuple(like.shape) or is_float != like.is_floating_point():
            raise ValueError(f"{part} with other weights {name!r} than it can have")


def _check_head(attributes: Mapping[str, Any]) -> None:
    """Check that the linear layer has one row for each class or target.

    The two classes of a classifier of texts have one row.
    """
    coef, intercept = attributes["coef_"], attributes["intercept_"]
    n_outputs = len(attributes.get("classes_", attributes.get("target_mean_", ())))
    if n_outputs == 2 and attributes.get("is_multilabel_") is False:
        n_outputs = 1
    if coef.ndim != 2 or coef.shape[0] != n_outputs or intercept.shape != (n_outputs,):
        raise ValueError("a linear layer that does not match its classes or targets")
    if {coef.dtype.kind, intercept.dtype.kind} != {"f"}:
        raise ValueError("a linear layer that does not consist of numbers")


def _check_target_encoder(attributes: Mapping[str, Any]) -> None:
    """Check that the estimator of a target encoder is one that it can have fitted."""
    inner = attributes["estimator_"]
    if type(inner).__name__ not in {"BertClassifier", "BertRegressor"}:
        raise ValueError("a target encoder of another estimator")
    if getattr(inner, "n_features_in_", None) != attributes["n_features_in_"]:
        raise ValueError("a target encoder that does not match its estimator")
