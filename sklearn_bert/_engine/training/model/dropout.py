"""Dropout with a fast random generator per fit.

Drawing a mask with torch takes a fifth of a training step on a CPU and uses the global
generator. Here each element of a mask takes one byte of a fast generator, and
concurrent fits in several threads do not affect each other.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_bert._engine.runtime.streams import INDEX

_LEVELS = 256
# The most shares of a batch that are computed at the same time.
MOST_SHARES = 2
_ONE_IN_BFLOAT16 = 0x3F80


class Dropout(nn.Module):
    """Set some activations to 0 and scale up the others, while ``is_on``.

    On a CPU each share of a batch has random numbers of its own. The masks then do not
    depend on the order in which streams compute the shares.

    Parameters
    ----------
    probability : float
        Rounded to a multiple of 1/256 on a CPU. The scale is that of the rounded
        probability, which preserves the mean.
    seed : int
    device : torch.device
    """

    def __init__(self, probability: float, seed: int, device: torch.device) -> None:
        super().__init__()
        # The shares of a batch, which streams compute at the same time, in training.
        self._on: set[int] = set()
        self._device = device
        self._on_cpu = device.type == "cpu"
        if self._on_cpu:
            # The extremes would drop nothing or everything.
            levels = min(max(round(probability * _LEVELS), 1), _LEVELS - 1)
            self._n_dropped = levels if probability else 0
            self._kept = 1 - self._n_dropped / _LEVELS
        else:
            self._kept = 1 - probability
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Restart with the random numbers of this seed."""
        if self._on_cpu:
            self._bits = [np.random.SFC64([seed, k]) for k in range(MOST_SHARES)]
        else:
            self._generator = torch.Generator(self._device).manual_seed(seed)

    def register(self, graph: Any) -> None:
        """Let each replay of a CUDA graph draw different numbers; only on a GPU."""
        graph.register_generator_state(self._generator)

    def renew(self) -> None:
        """Replace the generator on a GPU after a failed graph capture."""
        seed = self._generator.initial_seed() + 1
        self._generator = torch.Generator(self._device).manual_seed(seed)

    @property
    def is_on(self) -> bool:
        """Whether the current share of a batch is in training."""
        return INDEX.get() in self._on

    @is_on.setter
    def is_on(self, value: bool) -> None:
        (self._on.add if value else self._on.discard)(INDEX.get())

    def same_masks(
        self,
    ) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """Return a context for the next computation, and one that repeats its masks."""
        return nullcontext(), self._repeating(self._state, self.is_on)

    @contextmanager
    def _repeating(self, state: Any, is_on: bool) -> Iterator[None]:
        current = self._state, self.is_on
        self._state, self.is_on = state, is_on
        try:
            yield
        finally:
            self._state, self.is_on = current

    @property
    def _state(self) -> Any:
        if self._on_cpu:
            return self._bits[INDEX.get()].state
        return self._generator.get_state()

    @_state.setter
    def _state(self, state: Any) -> None:
        if self._on_cpu:
            self._bits[INDEX.get()].state = state
        else:
            self._generator.set_state(state)

    @property
    def scale(self) -> float:
        """The factor of the activations that are kept."""
        return 1 / self._kept if self._acts else 1.0

    @property
    def _acts(self) -> bool:
        return self.is_on and self._kept < 1

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of ``x``."""
        mask = self.mask(x)
        return x if mask is None else (x * mask).mul_(self.scale)

    def mask(self, like: Tensor) -> Tensor | None:
        """Draw zeros and ones in the shape and dtype of ``like``.

        None means all ones.
        """
        if not self._acts:
            return None
        if not self._on_cpu:
            mask = torch.empty_like(like)
            return mask.bernoulli_(self._kept, generator=self._generator)
        bits = self._bits[INDEX.get()]
        draws = bits.random_raw(-(-like.numel() // 8)).view(np.uint8)
        is_kept = draws[: like.numel()] >= self._n_dropped
        # In the same dtype, since mixed products are slow. For bfloat16 the bits are
        # written directly, since the conversion of torch is slow.
        if like.dtype != torch.bfloat16:
            return torch.from_numpy(is_kept).view(like.shape).to(like.dtype)
        ones = np.multiply(is_kept, _ONE_IN_BFLOAT16, dtype=np.int16)
        return torch.from_numpy(ones).view(torch.bfloat16).view(like.shape)
