"""Computation of the gradients of a step, and update of the weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.runtime.ranks import ALONE, Ranks
from sklearn_bert._engine.runtime.streams import Streams
from sklearn_bert._engine.training.model.dropout import MOST_SHARES
from sklearn_bert._engine.training.optimizer import Optimizer, read_loss_and_norm

Part = TypeVar("Part")
# Parts of fewer tokens are not divided: two products of half the size take longer.
LEAST_TO_SHARE = 512


@dataclass(frozen=True)
class Step(Generic[Part]):
    """The batch of one optimizer step, on the device.

    Attributes
    ----------
    rows : list of int
        Indices of the texts or sequences in the batch.
    parts : list of list
        The batch, or this rank's share of it, in parts that fit into memory. Each is
        one or more shares, which can be computed at the same time.
    n_losses : int
        Number of losses in the mean, over all ranks.
    token_ids : Tensor of shape (n_ids,), int64, or None
        Distinct token ids of the batch; None if all rows of the token embedding are
        trained.
    weight : float
        Factor of the losses: 0.0 if the parts are another rank's.
    """

    rows: list[int]
    parts: list[list[Part]]
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
    """Runs each step operation by operation, and shares of a batch in streams.

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
        self._streams = Streams(MOST_SHARES)

    def pad(self, part: Part) -> Part:
        """Return ``part``."""
        return part

    def accumulate(self, step: Step[Part]) -> tuple[float, float]:
        """Sum the gradients of the parts; return mean loss and gradient norm."""
        optimizer = self.optimizer
        if optimizer.token_embedding is not None and step.token_ids is not None:
            optimizer.token_embedding.take(step.token_ids)
        total = torch.zeros((), dtype=optimizer.dtype, device=optimizer.device)
        for shares in step.parts:
            factor = step.weight / step.n_losses
            if len(shares) > 1:
                total += self._add_in_streams(shares, factor)
            else:
                loss = self.sum_losses(shares[0]) * factor
                loss.backward()
                total += loss.detach()
        gradients = optimizer.gradients()
        self._ranks.add([total, *gradients])
        return read_loss_and_norm(total, gradients)

    def _add_in_streams(self, shares: list[Part], factor: float) -> Tensor:
        """Add the gradients of a part to those of the step; return its loss."""
        trained = self.optimizer.trained_now()

        def differentiate(share: Part) -> tuple[Tensor, Sequence[Tensor | None]]:
            loss = self.sum_losses(share) * factor
            return loss.detach(), torch.autograd.grad(loss, trained, allow_unused=True)

        losses, found = zip(*self._streams.map(differentiate, shares), strict=True)
        for tensor, *gradients in zip(trained, *found, strict=True):
            _add(tensor, [one for one in gradients if one is not None])
        return torch.stack(losses).sum()

    def update(self, norm: float, factor: float) -> None:
        """Clip the gradients and update the weights."""
        self.optimizer.step(norm, factor)

    def free_memory(self) -> bool:
        """End the streams, and return False, since they hold little memory."""
        self._streams.close()
        return False


def divide(rows: Sequence[int], lengths: Sequence[int] | np.ndarray) -> list[list[int]]:
    """Divide the rows of a part into shares of about as many tokens.

    The number of threads plays no part in it, since it would change the dropout.

    Parameters
    ----------
    rows : sequence of int
        The longest first.
    lengths : sequence of int
        The number of tokens of each row, among others.

    Returns
    -------
    list of list of int
        One or two shares.
    """
    if len(rows) == 1 or sum(lengths[row] for row in rows) < LEAST_TO_SHARE:
        return [list(rows)]
    second = {*rows[1::4], *rows[2::4]}
    return [
        [row for row in rows if row not in second],
        [row for row in rows if row in second],
    ]


def _add(tensor: Tensor, gradients: list[Tensor]) -> None:
    """Add gradients to that of a tensor."""
    for gradient in gradients:
        # A new tensor, since several weights may have the same one as gradient.
        kept = tensor.grad
        tensor.grad = gradient.clone() if kept is None else kept + gradient
