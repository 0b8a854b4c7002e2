"""Computation of the gradients of a step, and update of the weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from sklearn_bert._engine.runtime.ranks import ALONE, Ranks
from sklearn_bert._engine.training.optimizer import Optimizer, read_loss_and_norm

Part = TypeVar("Part")


@dataclass(frozen=True)
class Step(Generic[Part]):
    """The batch of one optimizer step, on the device.

    Attributes
    ----------
    rows : list of int
        Indices of the texts or sequences in the batch.
    parts : list
        The batch, or this rank's share of it, in parts that fit into memory.
    n_losses : int
        Number of losses in the mean, over all ranks.
    token_ids : Tensor of shape (n_ids,), int64, or None
        Distinct token ids of the batch; None if all rows of the token embedding are
        trained.
    weight : float
        Factor of the losses: 0.0 if the parts are another rank's.
    """

    rows: list[int]
    parts: list[Part]
    n_losses: int
    token_ids: Tensor | None = None
    weight: float = 1.0


class StepRunner(Protocol[Part]):
    """Computes the gradients of a step, and updates the weights with them."""

    def pad(self, part: Part) -> Part:
        """Pad a part, still on the CPU, to a shape that suits this runner."""

    def accumulate(self, step: Step[Part]) -> tuple[float, float]:
        """Sum the gradients of the parts; return mean loss and gradient norm."""

    def update(self, norm: float, factor: float) -> None:
        """Update the weights with ``factor`` times the learning rate."""

    def free_memory(self) -> bool:
        """Free memory that only serves speed; return whether there was any."""


class PlainStepRunner(Generic[Part]):
    """Runs each step operation by operation.

    Parameters
    ----------
    sum_losses : callable
        Returns the sum of the losses of a part.
    optimizer : Optimizer
    ranks : Ranks
        Their gradients are added up.
    """

    def __init__(
        self,
        sum_losses: Callable[[Part], Tensor],
        optimizer: Optimizer,
        ranks: Ranks = ALONE,
    ) -> None:
        self.sum_losses = sum_losses
        self.optimizer = optimizer
        self._ranks = ranks

    def pad(self, part: Part) -> Part:
        """Return ``part``."""
        return part

    def accumulate(self, step: Step[Part]) -> tuple[float, float]:
        """Sum the gradients of the parts; return mean loss and gradient norm."""
        optimizer = self.optimizer
        if optimizer.token_embedding is not None and step.token_ids is not None:
            optimizer.token_embedding.take(step.token_ids)
        total = torch.zeros((), dtype=optimizer.dtype, device=optimizer.device)
        for part in step.parts:
            loss = self.sum_losses(part) * step.weight / step.n_losses
            loss.backward()
            total += loss.detach()
        gradients = optimizer.gradients()
        self._ranks.add([total, *gradients])
        return read_loss_and_norm(total, gradients)

    def update(self, norm: float, factor: float) -> None:
        """Clip the gradients and update the weights."""
        self.optimizer.step(norm, factor)

    def free_memory(self) -> bool:
        """Return False, since this runner holds no memory that only serves speed."""
        return False
