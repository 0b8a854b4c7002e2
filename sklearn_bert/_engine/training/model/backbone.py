"""Backbones: checkpoints that trainings start from, read once for the whole process.

Each training changes a copy of the weights. It shares those that stay frozen, which
nothing writes to.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.source import Source, load
from sklearn_bert._engine.encoding.backend_choice import choose_backend_class
from sklearn_bert._engine.encoding.backends import ModuleBackend
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.training.model.layer_depth import LayerDepths

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Backbone:
    """A checkpoint that trainings start from, and the backend that runs it.

    Attributes
    ----------
    checkpoint : Checkpoint
        On the CPU in float32. Nothing changes its weights.
    backend_class : type
    """

    checkpoint: Checkpoint
    backend_class: type[ModuleBackend] | type[FusedBackend]


def _build(source: Source, *_: Any) -> Backbone:
    checkpoint = load(source)
    return Backbone(checkpoint, choose_backend_class(checkpoint))


BACKBONES: EncoderCache[CheckpointFiles, Backbone] = EncoderCache(_build)


def find_backbone(source: Source, user: Any) -> Backbone:
    """Return the backbone of a source.

    Parameters
    ----------
    source : Source
        Files are read once. A fitted estimator is in memory already, and nobody else
        starts from it.
    user : object
        The backbone is kept as long as it exists, and a few seconds longer.

    Returns
    -------
    Backbone
    """
    if not isinstance(source, CheckpointFiles):
        return _build(source)
    return BACKBONES.get(source, _CPU, torch.float32, user)


def copy_weights(checkpoint: Checkpoint, n_frozen: int = 0) -> Checkpoint:
    """Return a checkpoint whose weights can be trained.

    Parameters
    ----------
    checkpoint : Checkpoint
    n_frozen : int
        As for :func:`make_trainable`. Weights below this depth stay frozen and are
        shared with ``checkpoint``.

    Returns
    -------
    Checkpoint
    """
    depths = LayerDepths(checkpoint.model, checkpoint.architecture.n_layers)
    # Parameters of its own, since moving a module to a device replaces their data.
    shared = {
        id(parameter): nn.Parameter(parameter.detach(), requires_grad=False)
        for name, parameter in checkpoint.model.named_parameters()
        if depths.of_weight(name) < n_frozen
    }
    return replace(
        checkpoint,
        model=deepcopy(checkpoint.model, shared),
        modules=deepcopy(checkpoint.modules),
    )
