"""The gradients of a step: how long they are together, and that it is not too much."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

# Gradients longer than this are scaled down to it, as in BERT's own fine-tuning.
_MAX_NORM = 1.0


def gradients_of(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Return the gradients of those tensors that have one."""
    return [tensor.grad for tensor in tensors if tensor.grad is not None]


def read_loss_and_norm(loss: Tensor, gradients: list[Tensor]) -> tuple[float, float]:
    """Return a loss, a scalar, and the norm of all gradients together."""
    norm = nn.utils.get_total_norm(gradients)
    # The one time in a step that the CPU waits for the device.
    loss_value, norm_value = torch.stack([loss, norm.to(loss.dtype)]).tolist()
    return loss_value, norm_value


def clip(gradients: list[Tensor], norm: float) -> None:
    """Scale gradients down in place if their norm is too large."""
    if norm > _MAX_NORM:
        torch._foreach_mul_(gradients, _MAX_NORM / norm)


def clip_factor(norm: Tensor) -> Tensor:
    """Return by what :func:`clip` multiplies, on the device; 1 if they are short."""
    return (_MAX_NORM / norm).clamp(max=1.0)
