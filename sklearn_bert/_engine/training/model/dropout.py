"""Dropout from one cheap stream of random bytes that belongs to one fit.

torch draws a mask number by number, which takes a fifth of a training step on a CPU,
and it draws from the process's global generator. Here each number of a mask costs one
byte of a fast generator, and fits that run at the same time in several threads do not
disturb each other.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_LEVELS = 256
_ONE_IN_BFLOAT16 = 0x3F80


class Dropout(nn.Module):
    """Zero some numbers and scale up the others, while ``is_on``.

    Parameters
    ----------
    probability : float
        Rounded to a multiple of 1/256 on a CPU. The scale belongs to the rounded one,
        so means stay as they are.
    seed : int
    device : torch.device
    """

    def __init__(self, probability: float, seed: int, device: torch.device) -> None:
        super().__init__()
        self.is_on = False
        self._device = device
        self._on_cpu = device.type == "cpu"
        if self._on_cpu:
            # The extremes would drop nothing, or all.
            levels = min(max(round(probability * _LEVELS), 1), _LEVELS - 1)
            self._n_dropped = levels if probability else 0
            self._kept = 1 - self._n_dropped / _LEVELS
        else:
            self._kept = 1 - probability
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Draw from here on what a new one with this seed would draw."""
        if self._on_cpu:
            self._bits = np.random.SFC64(seed)
        else:
            self._generator = torch.Generator(self._device).manual_seed(seed)

    def register(self, graph: Any) -> None:
        """Let each replay of a CUDA graph draw other numbers; on a GPU only."""
        graph.register_generator_state(self._generator)

    def renew(self) -> None:
        """Draw on from another generator, on a GPU, where a recording spoilt one."""
        seed = self._generator.initial_seed() + 1
        self._generator = torch.Generator(self._device).manual_seed(seed)

    @property
    def scale(self) -> float:
        """The factor of the numbers that are kept."""
        return 1 / self._kept if self._acts else 1.0

    @property
    def _acts(self) -> bool:
        return self.is_on and self._kept < 1

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of ``x``."""
        mask = self.mask(x)
        return x if mask is None else (x * mask).mul_(self.scale)

    def mask(self, like: Tensor) -> Tensor | None:
        """Draw zeros and ones in the shape and number format of ``like``.

        None stands for ones alone.
        """
        if not self._acts:
            return None
        if not self._on_cpu:
            mask = torch.empty_like(like)
            return mask.bernoulli_(self._kept, generator=self._generator)
        draws = self._bits.random_raw(-(-like.numel() // 8)).view(np.uint8)
        is_kept = draws[: like.numel()] >= self._n_dropped
        # In the same format, since products of unlike ones are slow; for bfloat16 by
        # way of its bits, since torch converts to it slowly.
        if like.dtype != torch.bfloat16:
            return torch.from_numpy(is_kept).view(like.shape).to(like.dtype)
        bits = np.multiply(is_kept, _ONE_IN_BFLOAT16, dtype=np.int16)
        return torch.from_numpy(bits).view(torch.bfloat16).view(like.shape)
