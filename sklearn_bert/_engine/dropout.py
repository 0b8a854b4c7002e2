"""Dropout from one cheap stream of random bytes that belongs to one fit.

torch draws a mask number by number, which takes a fifth of a training step on a CPU,
and it draws from the process's global generator. Here each number of a mask costs one
byte of a fast generator, and fits that run at the same time in several threads do not
disturb each other.
"""

import numpy as np
import torch
from torch import Tensor, nn

_LEVELS = 256


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
        self._on_cpu = device.type == "cpu"
        if self._on_cpu:
            # The extremes would drop nothing, or all.
            levels = min(max(round(probability * _LEVELS), 1), _LEVELS - 1)
            self._n_dropped = levels if probability else 0
            self._kept = 1 - self._n_dropped / _LEVELS
            self._bits = np.random.SFC64(seed)
        else:
            self._kept = 1 - probability
            self._generator = torch.Generator(device).manual_seed(seed)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of ``x``."""
        if not self.is_on or self._kept == 1:
            return x
        return (x * self._mask(x)).mul_(1 / self._kept)

    def _mask(self, like: Tensor) -> Tensor:
        if not self._on_cpu:
            mask = torch.empty(like.shape, dtype=torch.bool, device=like.device)
            return mask.bernoulli_(self._kept, generator=self._generator)
        draws = self._bits.random_raw(-(-like.numel() // 8)).view(np.uint8)
        is_kept = draws[: like.numel()] >= self._n_dropped
        return torch.from_numpy(is_kept).view(like.shape)
