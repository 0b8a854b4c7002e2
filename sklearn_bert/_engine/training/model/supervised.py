"""An encoder and a linear layer that learn targets together."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sklearn_bert._engine.encoding.encode import EncodingConfig, encode_sequences
from sklearn_bert._engine.encoding.readout import Readout
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.batches import TrainingBatch
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
    """

    trainable: TrainableEncoder
    head: nn.Linear
    loss: Loss
    readout: Readout

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
            rows = self.trainable.dropout(rows)
        outputs = self.head(rows.to(self.head.weight.dtype))
        return (self.loss(outputs, part.targets) * part.weights).sum()

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
