"""The modules that make features of texts, as sentence-transformers declares them."""

from dataclasses import replace

import numpy as np

from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    DeclaredModule,
)
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.export.contents import EncoderExport

_Weights = dict[str, np.ndarray]


def declare(
    export: EncoderExport, checkpoint: Checkpoint
) -> tuple[Architecture, _Weights]:
    """Return what the modules declare, and the weights of those after the pooling.

    Parameters
    ----------
    export : EncoderExport
    checkpoint : Checkpoint
        Adapted to how the encoder is read.

    Returns
    -------
    architecture : Architecture
    weights : dict of str to ndarray
    """
    resolved = export.encoder
    architecture = replace(
        checkpoint.architecture, max_length=resolved.tokenizing.max_length
    )
    weights = {
        name: tensor.numpy() for name, tensor in checkpoint.modules.state_dict().items()
    }
    if resolved.pooling is None:
        return architecture, weights
    if len(resolved.layers) > 1:
        # Without a pooling, nothing is declared.
        return replace(architecture, pooling=None), weights
    (layer,), n_layers = resolved.layers, architecture.n_layers
    if layer != n_layers:
        # The mean of the layers from this one on, of which only this one counts.
        only_first = (1.0, *[0.0] * (n_layers - layer))
        architecture = replace(architecture, layer_weights=only_first)
    if export.normalize:
        architecture, weights = _normalize(architecture, weights, resolved)
    return architecture, weights


def _normalize(
    architecture: Architecture, weights: _Weights, resolved: ResolvedEncoder
) -> tuple[Architecture, _Weights]:
    """Add a Normalize, behind a Dense that keeps the first features if some are cut."""
    modules = list(architecture.modules)
    width = width_of(resolved)
    n_kept = resolved.n_features
    if n_kept < width:
        weights = {
            **weights,
            f"{len(modules)}.linear.weight": np.eye(n_kept, width, dtype=np.float32),
        }
        modules.append(DeclaredModule("Dense", "", width, n_kept, has_bias=False))
    modules.append(DeclaredModule("Normalize"))
    return replace(architecture, modules=tuple(modules), truncate_dim=None), weights


def width_of(resolved: ResolvedEncoder) -> int:
    """Return the number of features before some are cut."""
    return replace(resolved, n_kept=None).n_features


def differences_of(export: EncoderExport) -> list[str]:
    """Return what sentence-transformers does not reproduce of the features."""
    resolved = export.encoder
    found = []
    if len(resolved.layers) > 1:
        layers = ", ".join(map(str, resolved.layers))
        found.append(f"the concatenation of the features of layers {layers}")
    if resolved.pooling == "compare":
        found.append("the comparison of the two texts of a pair")
    max_length = resolved.tokenizing.max_length
    if resolved.pooling is None:
        found.append(
            f"the windows in which sentences of more than {max_length} tokens are read"
        )
    elif resolved.tokenizing.long_text != "truncate":
        found.append(
            f"long_text={resolved.tokenizing.long_text!r}: they truncate texts of more "
            f"than {max_length} tokens"
        )
    if export.constraint is not None:
        found.append(export.constraint)
    return found
