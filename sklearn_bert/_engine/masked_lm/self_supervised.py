"""The encoder and the head that pre-training trains together."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sklearn_bert._engine.masked_lm.batches import MaskedPart
from sklearn_bert._engine.masked_lm.model import MaskedHead
from sklearn_bert._engine.training.model.layer_depth import TrainedTensor
from sklearn_bert._engine.training.model.trainable import TrainableEncoder


@dataclass(frozen=True)
class SelfSupervisedModel:
    """The encoder and the head that are trained together.

    Attributes
    ----------
    trainable : TrainableEncoder
    head : MaskedHead
    """

    trainable: TrainableEncoder
    head: MaskedHead

    def sum_losses(self, part: MaskedPart) -> Tensor:
        """Return the sum of the losses of the masked tokens of a part."""
        encoder = self.trainable.encoder
        layers = (encoder.architecture.n_layers,)
        with self.trainable.training():
            (states,) = encoder.backend.hidden_states(
                part.batch, layers, only_first=False
            )
            scores = self.head(states.index_select(0, part.places))
        # bfloat16 is too inaccurate for a sum of many losses.
        wide = torch.promote_types(scores.dtype, torch.float32)
        return F.cross_entropy(scores.to(wide), part.targets, reduction="sum")

    def trained_tensors(self) -> list[TrainedTensor]:
        """Return all trained tensors."""
        top = self.trainable.architecture.n_layers + 1
        head = [
            TrainedTensor(f"head.{name}", parameter.requires_grad_(), top)
            for name, parameter in self.head.own_parameters()
        ]
        return [*self.trainable.tensors, *head]
