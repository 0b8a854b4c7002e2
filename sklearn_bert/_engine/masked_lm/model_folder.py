"""Model folders of masked language models."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.checkpoints.files.module_list import MODULES
from sklearn_bert._engine.checkpoints.files.names import PROMPTS, SENTENCE_CONFIGS
from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint
from sklearn_bert._engine.checkpoints.sentence_transformers.layer_weights import (
    LAYER_WEIGHTS,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    POOLING_MODES,
    DeclaredModule,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.prompts import NO_PROMPTS
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel, unpack_masked_model
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert._engine.text.special_tokens import CONTROL_NAMES, find_control

# Where sentence-transformers of every version finds its classes.
_PACKAGE = "sentence_transformers.models"
_Part = tuple[str, dict[str, Any], dict[str, np.ndarray]]
# The same in every call, so that a call removes what a killed one has left.
_UNFINISHED = ".unfinished-sklearn-bert"


def is_free(folder: Path) -> bool:
    """Tell whether a folder does not exist, is empty, or a saving in it was killed."""
    if not folder.exists():
        return True
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return not names or _UNFINISHED in names


def save_masked_model(packed: PackedMaskedModel, folder: Path) -> None:
    """Write a folder that transformers and every estimator of this package can read.

    A temporary folder is written and renamed, so that the result is complete or absent.
    An existing folder, which may be a mount point, is filled instead. config.json,
    without which it is not a model, comes last.

    Parameters
    ----------
    packed : PackedMaskedModel
    folder : pathlib.Path
        Must be free, see :func:`is_free`.
    """
    exists = folder.exists()
    new = folder.with_name(f".{folder.name}{_UNFINISHED}")
    _remove(new)
    if exists:
        new = folder / _UNFINISHED
        _remove(new)
    new.mkdir(parents=True)
    try:
        _write(packed, new)
        if exists:
            _fill(folder, new)
        else:
            new.rename(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _remove(folder: Path) -> None:
    """Remove what a killed saving has left, if there is something."""
    if folder.exists():
        shutil.rmtree(folder)


def _fill(folder: Path, new: Path) -> None:
    """Move the parts of a model into a folder, and replace those of a killed saving."""
    parts = sorted(new.iterdir(), key=lambda path: path.name == "config.json")
    (folder / "config.json").unlink(missing_ok=True)
    for path in parts:
        if path.is_dir():
            _remove(folder / path.name)
        path.replace(folder / path.name)
    # The last step, since it shows that the saving is complete.
    new.rmdir()


def _write(packed: PackedMaskedModel, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    model = unpack_masked_model(packed)
    whole = model.head.whole
    architecture = packed.encoder.architecture
    own = Tokenizer.from_str(packed.encoder.tokenizer)
    controls = {
        kind: name
        for kind, names in CONTROL_NAMES.items()
        if (name := find_control(own, names)) is not None
    }
    inputs = ["input_ids", "attention_mask"]
    if architecture.has_segments:
        inputs.insert(1, "token_type_ids")
    with quietly():
        setattr(whole, whole.base_model_prefix, model.checkpoint.model)
        if architecture.layer_weights is not None:
            whole.config.output_hidden_states = True
        whole.save_pretrained(folder)
        PreTrainedTokenizerFast(
            tokenizer_object=own,
            model_max_length=architecture.max_length,
            model_input_names=inputs,
            **controls,
        ).save_pretrained(folder)
    of_texts: dict[str, Any] = {}
    if architecture.prompts != NO_PROMPTS:
        of_texts |= architecture.prompts.to_json()
    if architecture.truncate_dim is not None:
        of_texts["truncate_dim"] = architecture.truncate_dim
    if of_texts:
        _write_json(folder / PROMPTS, of_texts)
    # What is declared is not written without its unsupported modules.
    if architecture.pooling is not None and architecture.refusal is None:
        _write_declarations(packed.encoder, folder)


def _write_declarations(encoder: PackedCheckpoint, folder: Path) -> None:
    """Declare the pooling and the other modules as sentence-transformers does."""
    from safetensors.numpy import save_file

    architecture = encoder.architecture
    settings = {"max_seq_length": architecture.max_length}
    _write_json(folder / SENTENCE_CONFIGS[0], settings)
    parts = [("Transformer", "")]
    for kind, content, weights in _parts_after_encoder(encoder):
        path = f"{len(parts)}_{kind}"
        parts.append((kind, path))
        (folder / path).mkdir()
        _write_json(folder / path / "config.json", content)
        if weights:
            save_file(weights, folder / path / "model.safetensors")
    listed = [
        {"idx": k, "name": str(k), "path": path, "type": f"{_PACKAGE}.{kind}"}
        for k, (kind, path) in enumerate(parts)
    ]
    _write_json(folder / MODULES, listed)


def _parts_after_encoder(encoder: PackedCheckpoint) -> Iterator[_Part]:
    """Yield the kind, the settings and the weights of each module."""
    architecture = encoder.architecture
    if architecture.layer_weights is not None:
        numbers = np.array(architecture.layer_weights, dtype=np.float32)
        settings = {
            "word_embedding_dimension": architecture.hidden_size,
            "layer_start": architecture.n_layers + 1 - len(numbers),
            "num_hidden_layers": architecture.n_layers,
        }
        yield LAYER_WEIGHTS, settings, {"layer_weights": numbers}
    yield "Pooling", _pooling_settings(architecture), {}
    for number, module in enumerate(architecture.modules):
        prefix = f"{number}."
        weights = {
            name.removeprefix(prefix): array
            for name, array in (encoder.module_weights or {}).items()
            if name.startswith(prefix)
        }
        yield module.kind, _module_settings(module), weights


def _pooling_settings(architecture: Architecture) -> dict[str, Any]:
    """Return the settings of a pooling, in the old form if that says the same."""
    modes = (architecture.pooling or "").split("+")
    switches = {key: mode in modes for key, mode in POOLING_MODES.items()}
    in_old_order = [mode for mode in POOLING_MODES.values() if mode in modes]
    return {
        "word_embedding_dimension": architecture.hidden_size,
        **(switches if modes == in_old_order else {"pooling_mode": modes}),
        # A key that older versions do not know.
        **({} if architecture.include_prompt else {"include_prompt": False}),
    }


def _module_settings(module: DeclaredModule) -> dict[str, Any]:
    if module.kind == "LayerNorm":
        return {"dimension": module.n_in}
    if module.kind == "Normalize":
        return {}
    place = "linear" if module.activation == "Identity" else "activation"
    return {
        "in_features": module.n_in,
        "out_features": module.n_out,
        "bias": module.has_bias,
        "activation_function": f"torch.nn.modules.{place}.{module.activation}",
        **({"use_residual": True} if module.has_residual else {}),
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
