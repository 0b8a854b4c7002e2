"""The frozen part of a trainable encoder, computed once for each text."""

import logging
from dataclasses import replace
from functools import cache

import torch

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.source import Source
from sklearn_bert._engine.encoding.backend_choice import self_test_sequences
from sklearn_bert._engine.encoding.backends import (
    Backend,
    FlatBackend,
    ModuleBackend,
    PaddedBackend,
)
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.frozen.shared import share
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.training.model.flat import TrainableFlatBackend
from sklearn_bert._engine.training.model.fused import TrainableFusedBackend
from sklearn_bert._engine.training.model.layer_depth import LayerDepths
from sklearn_bert._engine.training.model.trainable import TrainableEncoder

_LOGGER = logging.getLogger("sklearn_bert")
# States of another layer are far off, rounding is far below.
_TOLERANCE = 1e-4


def compute_frozen_once(
    trainable: TrainableEncoder,
    checkpoint: Checkpoint,
    source: Source,
    readout: Readout,
    depth: int,
) -> TrainableEncoder:
    """Return a trainable encoder that starts from the output of its frozen part.

    Nothing in the frozen part is random, as its dropout has been removed. Its layers
    are computed as in predictions, in the dtype of the weights.

    Parameters
    ----------
    trainable : TrainableEncoder
    checkpoint : Checkpoint
        The one that it trains.
    source : Source
        The one that the checkpoint was loaded from.
    readout : Readout
        What is read from the encoder.
    depth : int
        How many of the lowest layers are frozen, with all that is below.

    Returns
    -------
    TrainableEncoder
        The same one if it computes its frozen part in every step.
    """
    encoder = trainable.encoder
    if not _can_start_above(depth, encoder, checkpoint, readout):
        return trainable

    lock = ForkSafeLock()

    @cache
    def make_once() -> Encoder:
        backend = _make_backend(encoder, checkpoint, depth)
        return replace(encoder, backend=backend, autocast_dtype=None)

    def make_frozen() -> Encoder:
        # Streams ask for it at the same time, and it prepares the module that they run.
        with lock.current:
            return make_once()

    frozen = share(
        source,
        depth,
        readout,
        encoder.dtype,
        make_frozen,
        encoder.architecture.n_layers,
        by_length=isinstance(encoder.backend, PaddedBackend),
    )
    return replace(trainable, encoder=replace(encoder, frozen=frozen))


def _can_start_above(
    depth: int, encoder: Encoder, checkpoint: Checkpoint, readout: Readout
) -> bool:
    """Tell whether an encoder can start above some layers, and whether it is faster."""
    # Embeddings are computed as fast as they are read. On a GPU, recorded steps compute
    # everything, and copying states to it would take longer than computing them.
    if depth < 1 or encoder.device.type != "cpu":
        return False
    n_layers = encoder.architecture.n_layers
    if depth == n_layers:
        return True
    n_read = len(readout.layer_weights or (1.0,))
    if depth > n_layers + 1 - n_read:
        return False
    backend = encoder.backend
    return not isinstance(backend, ModuleBackend) or _starts_above(
        depth, backend, checkpoint
    )


def _starts_above(depth: int, backend: ModuleBackend, checkpoint: Checkpoint) -> bool:
    """Let transformers' modules start above some layers, if the states are the same.

    These layers must not read a weight that is trained.
    """
    n_layers = checkpoint.architecture.n_layers
    layers = LayerDepths(checkpoint.model, n_layers).layers
    if layers is None:
        return False
    backend.start_above([*layers][:depth])
    sequences = self_test_sequences(checkpoint)
    batch = collate(sequences, range(len(sequences.ids)))
    try:
        with multiply_in(torch.device("cpu")):
            with torch.enable_grad():
                states, expected = backend.hidden_states(
                    batch, (depth, n_layers), only_first=False
                )
            if states.requires_grad:
                return False
            later = replace(batch, states=states, depth=depth)
            with torch.no_grad():
                (found,) = backend.hidden_states(later, (n_layers,), only_first=False)
    # A model that is not known can fail in any way.
    except Exception as error:
        raise_if_out_of_memory(error)
        _LOGGER.debug("The model does not start above layer %d: %r.", depth, error)
        return False
    expected = expected.detach()
    limit = _TOLERANCE * float(expected.abs().max())
    return torch.allclose(found, expected, rtol=0.0, atol=limit)


def _make_backend(encoder: Encoder, checkpoint: Checkpoint, depth: int) -> Backend:
    """Return the backend of the frozen part, which shares the module's weights."""
    if isinstance(encoder.backend, TrainableFusedBackend):
        return FusedBackend(checkpoint, encoder.device, encoder.dtype, depth)
    if isinstance(encoder.backend, TrainableFlatBackend):
        return FlatBackend(checkpoint, encoder.device, encoder.dtype)
    return encoder.backend
