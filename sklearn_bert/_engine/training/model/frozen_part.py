"""The frozen part of a trainable encoder, computed once for each text."""

from dataclasses import replace
from functools import cache

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.source import Source
from sklearn_bert._engine.encoding.backends import Backend, FlatBackend
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.frozen.shared import share
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.training.model.flat import TrainableFlatBackend
from sklearn_bert._engine.training.model.fused import TrainableFusedBackend
from sklearn_bert._engine.training.model.trainable import TrainableEncoder


def compute_frozen_once(
    trainable: TrainableEncoder,
    checkpoint: Checkpoint,
    source: Source,
    readout: Readout,
    depth: int,
) -> TrainableEncoder:
    """Return a trainable encoder that starts from what its frozen part puts out.

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
    if not _can_start_from(encoder, depth, readout):
        return trainable

    @cache
    def make_frozen() -> Encoder:
        backend = _make_backend(encoder, checkpoint, depth)
        return replace(encoder, backend=backend, autocast_dtype=None)

    n_layers = encoder.architecture.n_layers
    frozen = share(source, depth, readout, encoder.dtype, make_frozen, n_layers)
    return replace(trainable, encoder=replace(encoder, frozen=frozen))


def _can_start_from(encoder: Encoder, depth: int, readout: Readout) -> bool:
    """Tell whether an encoder can start above some layers, and whether it is faster."""
    # Embeddings are computed as fast as they are read. On a GPU, recorded steps compute
    # everything, and copying states to it would take longer than computing them.
    if depth < 1 or encoder.device.type != "cpu":
        return False
    n_layers = encoder.architecture.n_layers
    if depth == n_layers:
        return True
    # transformers' modules always start from the embeddings.
    if not isinstance(encoder.backend, FusedBackend):
        return False
    n_read = len(readout.layer_weights or (1.0,))
    return depth <= n_layers + 1 - n_read


def _make_backend(encoder: Encoder, checkpoint: Checkpoint, depth: int) -> Backend:
    """Return the backend of the frozen part, which shares the module's weights."""
    if isinstance(encoder.backend, TrainableFusedBackend):
        return FusedBackend(checkpoint, encoder.device, encoder.dtype, depth)
    if isinstance(encoder.backend, TrainableFlatBackend):
        return FlatBackend(checkpoint, encoder.device, encoder.dtype)
    return encoder.backend
