"""Pooling, modules and prompts in the files of sentence-transformers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.checkpoints.files.module_list import MODULES
from sklearn_bert._engine.checkpoints.files.names import PROMPTS, SENTENCE_CONFIGS
from sklearn_bert._engine.checkpoints.sentence_transformers.layer_weights import (
    LAYER_WEIGHTS,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    POOLING_MODES,
    SCORES,
    VECTOR,
    DeclaredModule,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.prompts import NO_PROMPTS
from sklearn_bert._engine.export.contents import LabeledHead
from sklearn_bert._engine.export.transformers_files import write_json

# Where sentence-transformers of every version finds its classes.
_PACKAGE = "sentence_transformers.models"
_Part = tuple[str, dict[str, Any], dict[str, np.ndarray]]


def write_declarations(
    architecture: Architecture,
    module_weights: dict[str, np.ndarray],
    folder: Path,
    scores: LabeledHead | None = None,
) -> bool:
    """Declare how texts become features, as sentence-transformers does.

    Parameters
    ----------
    architecture : Architecture
        Its pooling and modules are declared, unless one of them is not supported.
    module_weights : dict of str to ndarray
        The state dict of the modules.
    folder : pathlib.Path
        That of the encoder.
    scores : LabeledHead or None
        Computed from the features, and put out next to them.

    Returns
    -------
    bool
        Whether ``SentenceTransformer`` reads the folder as declared.
    """
    of_texts: dict[str, Any] = {}
    if architecture.prompts != NO_PROMPTS:
        of_texts |= architecture.prompts.to_json()
    if architecture.truncate_dim is not None:
        of_texts["truncate_dim"] = architecture.truncate_dim
    if of_texts:
        write_json(folder / PROMPTS, of_texts)
    # What is declared is not written without its unsupported modules.
    if architecture.pooling is None or architecture.refusal is not None:
        return False
    settings = {"max_seq_length": architecture.max_length}
    write_json(folder / SENTENCE_CONFIGS[0], settings)
    parts = [*_parts_after_encoder(architecture, module_weights)]
    if scores is not None:
        parts.append(_part_of_scores(scores))
    _write_modules(parts, folder)
    return True


def _write_modules(after_encoder: list[_Part], folder: Path) -> None:
    from safetensors.numpy import save_file

    parts = [("Transformer", "")]
    for kind, content, weights in after_encoder:
        path = f"{len(parts)}_{kind}"
        parts.append((kind, path))
        (folder / path).mkdir()
        write_json(folder / path / "config.json", content)
        if weights:
            save_file(weights, folder / path / "model.safetensors")
    listed = [
        {"idx": k, "name": str(k), "path": path, "type": f"{_PACKAGE}.{kind}"}
        for k, (kind, path) in enumerate(parts)
    ]
    write_json(folder / MODULES, listed)


def _parts_after_encoder(
    architecture: Architecture, module_weights: dict[str, np.ndarray]
) -> Iterator[_Part]:
    """Yield the kind, the settings and the weights of each module."""
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
            for name, array in module_weights.items()
            if name.startswith(prefix)
        }
        yield module.kind, _module_settings(module), weights


def _part_of_scores(head: LabeledHead) -> _Part:
    """Return a linear layer that leaves the vector of a text as it is."""
    n_outputs, n_features = head.coef.shape
    module = DeclaredModule("Dense", n_in=n_features, n_out=n_outputs)
    places = {"module_input_name": VECTOR, "module_output_name": SCORES}
    weights = {"linear.weight": head.coef, "linear.bias": head.intercept}
    return (
        module.kind,
        _module_settings(module) | places,
        {name: array.astype(np.float32) for name, array in weights.items()},
    )


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
