"""The linear layer on top of the pooled vector, and the losses of its outputs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_bert._engine.encoding.batch import move


@dataclass(frozen=True)
class LinearHead:
    """The weights of a linear layer as arrays.

    Attributes
    ----------
    coef : ndarray of shape (n_outputs, width)
    intercept : ndarray of shape (n_outputs,)
    """

    coef: np.ndarray
    intercept: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return the outputs: (n, width) to (n, n_outputs)."""
        return features @ self.coef.T + self.intercept

    def rescaled(self, scale: np.ndarray, shift: np.ndarray) -> "LinearHead":
        """Return the head whose outputs are multiplied by ``scale`` and shifted.

        Parameters
        ----------
        scale, shift : ndarray of shape (n_outputs,), float64
        """
        return LinearHead(scale[:, None] * self.coef, scale * self.intercept + shift)

    def of_log_odds(self) -> "LinearHead":
        """Return the head of the second of two outputs minus the first."""
        return LinearHead(np.diff(self.coef, axis=0), np.diff(self.intercept))

    def of_two_outputs(self) -> "LinearHead":
        """Return a head with two outputs of opposite sign and this difference."""
        coef, intercept = self.coef / 2, self.intercept / 2
        return LinearHead(np.vstack([-coef, coef]), np.r_[-intercept, intercept])

    def to_module(self, device: torch.device, dtype: torch.dtype) -> nn.Linear:
        """Return a linear layer with these weights."""
        n_outputs, size = self.coef.shape
        # On the meta device, since random weights would advance the global generator.
        layer = nn.Linear(size, n_outputs, device="meta", dtype=dtype)
        layer = layer.to_empty(device=device)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(self.coef))
            layer.bias.copy_(torch.tensor(self.intercept))
        return layer

    @classmethod
    def from_module(cls, layer: nn.Linear) -> "LinearHead":
        """Copy the weights of a linear layer."""
        weight, bias = (x.detach().cpu().numpy() for x in (layer.weight, layer.bias))
        return cls(weight.copy(), bias.copy())


Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class SoftmaxLoss:
    """Cross-entropy of one class among several.

    Attributes
    ----------
    label_smoothing : float
        Fraction of the target that is distributed evenly over all classes.
    """

    label_smoothing: float = 0.0

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample: (n, n_classes) and int64 (n,) to (n,)."""
        return F.cross_entropy(
            outputs, targets, reduction="none", label_smoothing=self.label_smoothing
        )


@dataclass(frozen=True)
class SigmoidLoss:
    """Mean binary cross-entropy over several labels.

    Attributes
    ----------
    label_smoothing : float
        Fraction of each target that is distributed evenly over 0 and 1.
    pos_weight : tuple of float, length n_labels, or None
        Factor on the loss of each label for samples that have the label.
    """

    label_smoothing: float = 0.0
    pos_weight: tuple[float, ...] | None = None
    # ``pos_weight`` as tensors, by dtype and device. They are cached, since a CUDA
    # graph needs them at the same address in each step.
    _moved: dict[Any, Tensor] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample: (n, n_labels) twice to (n,)."""
        smooth = targets * (1 - self.label_smoothing) + self.label_smoothing / 2
        losses = F.binary_cross_entropy_with_logits(outputs, smooth, reduction="none")
        if self.pos_weight is not None:
            factors = self._factors(outputs.dtype, outputs.device)
            losses = torch.where(targets > 0, factors * losses, losses)
        return losses.mean(1)

    def _factors(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        if (dtype, device) not in self._moved:
            # ``move`` avoids the synchronization of a plain copy to a GPU.
            factors = move(torch.tensor(self.pos_weight, dtype=dtype), device)
            self._moved[dtype, device] = factors
        return self._moved[dtype, device]


_NUMBER_LOSSES: dict[str, Callable[..., Tensor]] = {
    "squared_error": F.mse_loss,
    "absolute_error": F.l1_loss,
    "huber": F.huber_loss,
}


@dataclass(frozen=True)
class NumberLoss:
    """Regression loss, averaged over the outputs.

    Attributes
    ----------
    kind : {"squared_error", "absolute_error", "huber"}
        "huber" is half the squared error up to an error of 1, and linear beyond.
    """

    kind: str = "squared_error"

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample: (n, n_outputs) twice to (n,)."""
        return _NUMBER_LOSSES[self.kind](outputs, targets, reduction="none").mean(1)
