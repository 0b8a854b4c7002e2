"""Frozen encoders: batches of token ids in, hidden states out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.sentence_transformers.modules import (
    SentenceModules,
)
from sklearn_bert._engine.checkpoints.source import Source, load
from sklearn_bert._engine.encoding.backend_choice import choose_backend
from sklearn_bert._engine.encoding.backends import Backend
from sklearn_bert._engine.encoding.batch import Batch, collate
from sklearn_bert._engine.encoding.frozen.frozen_part import FrozenPart
from sklearn_bert._engine.encoding.pooling import average_layers
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer


@dataclass(frozen=True)
class Encoder:
    """A frozen encoder, ready to run.

    Attributes
    ----------
    backend : Backend
    tokenizer : TextTokenizer
    architecture : Architecture
    device : torch.device
    dtype : torch.dtype
        Dtype of the weights.
    autocast_dtype : torch.dtype or None
        Dtype of matrix products, if it differs from that of the weights.
    modules : SentenceModules
        On the device, in float32 or a wider dtype: few numbers, which should not be
        rounded.
    frozen : FrozenPart or None
        The part whose output for a text is kept.
    replicas : tuple of Encoder
        The same encoder on other devices, which share the work.
    """

    backend: Backend
    tokenizer: TextTokenizer
    architecture: Architecture
    device: torch.device
    dtype: torch.dtype
    autocast_dtype: torch.dtype | None = None
    modules: SentenceModules = field(default_factory=SentenceModules)
    frozen: FrozenPart | None = None
    replicas: tuple["Encoder", ...] = ()

    @property
    def dtype_of_products(self) -> torch.dtype:
        """Dtype of matrix products."""
        return self.autocast_dtype or self.dtype

    def autocast(self) -> Any:
        """Return a context in which matrix products have the encoder's dtype."""
        return multiply_in(self.device, self.autocast_dtype)

    def collate(self, sequences: TokenSequences, rows: Sequence[int]) -> Batch:
        """Collate sequences, the longest first, with what is kept of them."""
        if self.frozen is None:
            return collate(sequences, rows)
        return self.frozen.collate(sequences, rows)

    def read_rows(
        self, batch: Batch, layers: tuple[int, ...], readout: Readout
    ) -> list[Tensor]:
        """Return the rows of a batch, (n_rows, width) per layer; see :meth:`read`."""
        if batch.rows is not None:
            return [batch.rows]
        states = self.read(batch, layers, readout)
        return [readout.read(state, batch) for state in states]

    def read(
        self, batch: Batch, layers: tuple[int, ...], readout: Readout
    ) -> list[Tensor]:
        """Return the states that a readout pools.

        Parameters
        ----------
        batch : Batch
            On the device.
        layers : tuple of int
            Only the last one if the readout has weights of layers.
        readout : Readout

        Returns
        -------
        list of Tensor of shape (n, hidden_size) or (T, hidden_size)
            One per layer.
        """
        weights = readout.layer_weights
        if weights is not None:
            stop = self.architecture.n_layers + 1
            layers = tuple(range(stop - len(weights), stop))
        states = self.backend.hidden_states(
            batch, layers, only_first=readout.only_first
        )
        return states if weights is None else [average_layers(states, weights)]

    def finish(self, rows: Tensor, readout: Readout) -> Tensor:
        """Apply what a readout asks for after texts have been pooled.

        Parameters
        ----------
        rows : Tensor of shape (n, width)
        readout : Readout

        Returns
        -------
        Tensor of shape (n, new_width)
        """
        return self.modules(rows, readout.n_modules)[:, : readout.n_kept]


def build_encoder(source: Source, device: torch.device, dtype: torch.dtype) -> Encoder:
    """Load a source, and choose the fastest backend with correct results."""
    return make_encoder(load(source), device, dtype)


def make_encoder(
    checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
) -> Encoder:
    """Choose the fastest backend that gives correct results for a checkpoint."""
    backend = choose_backend(checkpoint, device, dtype)
    modules = checkpoint.modules.to(device, torch.promote_types(dtype, torch.float32))
    return Encoder(
        backend,
        checkpoint.tokenizer,
        checkpoint.architecture,
        device,
        dtype,
        modules=modules,
    )
