"""An encoder and a linear layer that learn targets together."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sklearn_bert._engine.encoding.encode import EncodingConfig, encode_sequences
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.batches import TrainingBatch
from sklearn_bert._engine.training.contrastive import contrastive_losses
from sklearn_bert._engine.training.heads import Loss
from sklearn_bert._engine.training.model.trainable import TrainableEncoder


@dataclass(frozen=True)
class SupervisedModel:
    """What a fine-tuning trains, and the loss that it lowers.

    Attributes
    ----------
    trainable : TrainableEncoder
    head : nn.Linear
    loss : Loss
    readout : Readout
        Which states the head reads.
    contrastive : float
        Fraction of the loss that compares the texts of a batch with each other, whose
        targets are then class indices.
    """

    trainable: TrainableEncoder
    head: nn.Linear
    loss: Loss
    readout: Readout
    contrastive: float = 0.0

    def sum_losses(self, part: TrainingBatch) -> Tensor:
        """Return the sum of the weighted losses of some texts."""
        readout, encoder = self.readout, self.trainable.encoder
        with self.trainable.training():
            layers = (encoder.architecture.n_layers,)
            (rows,) = encoder.read_rows(part.batch, layers, readout)
            if part.owners is not None:
                rows = readout.join(rows, part.batch, part.owners, part.n_texts)
        # Few numbers, which should not be rounded to bfloat16.
        rows = encoder.finish(rows, readout)
        with self.trainable.training():
            dropped = self.trainable.dropout(rows)
        outputs = self.head(dropped.to(self.head.weight.dtype))
        losses = self.loss(outputs, part.targets)
        if self.contrastive:
            others = contrastive_losses(rows, part.targets, part.weights)
            losses = torch.lerp(losses, others.to(losses.dtype), self.contrastive)
        return (losses * part.weights).sum()

    @torch.no_grad()
    def has_finite_outputs(self, sequences: TokenSequences) -> bool:
        """Tell whether the current weights give finite outputs for some texts.

        Finite weights may be so large that a product of them overflows.
        """
        encoder = self.trainable.encoder
        config = EncodingConfig(self.readout, layers=(encoder.architecture.n_layers,))
        features = encode_sequences(encoder, sequences, config)
        outputs = self.head(torch.from_numpy(features).to(self.head.weight))
        return bool(torch.isfinite(outputs).all())
