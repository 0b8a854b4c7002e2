"""What is kept of frozen parts, shared by the fits and predictions of the process.

Fits with the same frozen part, as in a search, need its output for the same texts. It
is kept as long as a fit or a prediction uses it, and for as much longer as encoders
are; see :mod:`~sklearn_bert._engine.encoding.encoder_cache`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary, ref

import torch
from torch import Tensor

from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint
from sklearn_bert._engine.checkpoints.source import Source
from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache, identity_of
from sklearn_bert._engine.encoding.frozen.frozen_part import FrozenPart
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.encoding.readout import Readout

_CPU = torch.device("cpu")
KEPT: EncoderCache[Source, KeptArrays] = EncoderCache(lambda *_: KeptArrays())


@dataclass(frozen=True)
class _Origin:
    """The source whose lowest layers a fit has left unchanged."""

    identity: tuple[Any, ...] | ref[Any]
    depth: int


_ORIGINS: WeakKeyDictionary[PackedCheckpoint, _Origin] = WeakKeyDictionary()


def note_unchanged(fitted: PackedCheckpoint, source: Source, depth: int) -> None:
    """Remember that a fit from a source has not changed the lowest layers.

    Parameters
    ----------
    fitted : PackedCheckpoint
        The weights after the fit.
    source : Source
    depth : int
        The number of layers, at least one.
    """
    _ORIGINS[fitted] = _Origin(_identity_of_layers(source, depth), depth)


def _identity_of_layers(source: Source, depth: int) -> tuple[Any, ...] | ref[Any]:
    """Return what identifies the weights of the lowest layers of a source."""
    origin = None
    if isinstance(source, PackedCheckpoint):
        origin = _ORIGINS.get(source)
    if origin is None or depth > origin.depth:
        return identity_of(source)
    return origin.identity


def identity_if_unchanged(fitted: PackedCheckpoint) -> tuple[Any, ...] | None:
    """Return what identifies the encoder, if a fit has changed none of its layers."""
    origin, architecture = _ORIGINS.get(fitted), fitted.architecture
    if origin is None or origin.depth < architecture.n_layers:
        return None
    # Fits that read the encoder in another way keep other modules.
    return origin.identity, len(architecture.modules)


def share(
    source: Source,
    depth: int,
    readout: Readout,
    dtype: torch.dtype,
    make_encoder: Callable[[], Encoder],
    n_layers: int,
    *,
    keeps_new: bool = True,
    by_length: bool = False,
) -> FrozenPart:
    """Return a frozen part, which shares what is kept with others of the same layers.

    Parameters
    ----------
    source : Source
        Where the weights of the layers come from.
    depth : int
        The number of frozen layers.
    readout : Readout
    dtype : torch.dtype
        Of the weights.
    make_encoder : callable
        Returns an encoder with these layers. Called if something has to be computed.
    n_layers : int
        The number of all layers.
    keeps_new, by_length : bool
        See :class:`~sklearn_bert._engine.encoding.frozen.frozen_part.FrozenPart`.
    """
    kept_readout = readout if depth == n_layers else None

    def compute(batch: Batch) -> Tensor:
        encoder = make_encoder()
        if kept_readout is not None:
            return encoder.read_rows(batch, (depth,), kept_readout)[0]
        return encoder.backend.hidden_states(batch, (depth,), only_first=False)[0]

    identity = _identity_of_layers(source, depth), depth, kept_readout
    # What keeps nothing new must not displace what others keep.
    request = KEPT.get if keeps_new else KEPT.find
    # The function is the user, since it is there as long as the part is.
    kept = request(source, _CPU, dtype, compute, identity)
    if kept is None:
        kept = KeptArrays()
    return FrozenPart(
        depth, kept_readout, compute, kept, keeps_new=keeps_new, by_length=by_length
    )


def start_from_kept(
    encoder: Encoder, fitted: PackedCheckpoint, readout: Readout
) -> Encoder:
    """Return an encoder that starts from what the fit of its weights has kept.

    Nothing more is kept: there is no limit to the texts that are predicted.

    Parameters
    ----------
    encoder : Encoder
        Of the fitted weights.
    fitted : PackedCheckpoint
    readout : Readout

    Returns
    -------
    Encoder
        The same one if nothing is kept, or if it cannot start from a middle layer.
    """
    origin, n_layers = _ORIGINS.get(fitted), encoder.architecture.n_layers
    if origin is None or encoder.device != _CPU:
        return encoder
    if origin.depth < n_layers and not isinstance(encoder.backend, FusedBackend):
        return encoder
    # Other texts are computed in ordinary batches, whatever their lengths.
    frozen = share(
        fitted,
        origin.depth,
        readout,
        encoder.dtype,
        lambda: encoder,
        n_layers,
        keeps_new=False,
    )
    return replace(encoder, frozen=frozen) if len(frozen.kept) else encoder
