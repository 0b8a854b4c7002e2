"""Adapters: low-rank changes of the linear layers of an encoder, as arrays."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_bert._engine.checkpoints.architecture import Architecture


@dataclass(frozen=True, eq=False)
class PackedAdapter:
    """The change of each adapted linear layer, as a product of two narrow matrices.

    Attributes
    ----------
    rank : int
    scale : float
        Factor of the products.
    down : dict of str to ndarray of shape (rank, n_inputs)
        By the name of the linear layer.
    up : dict of str to ndarray of shape (n_outputs, rank)
    """

    rank: int
    scale: float
    down: dict[str, np.ndarray]
    up: dict[str, np.ndarray]

    def __repr__(self) -> str:
        # As short as that of the encoder, and for the same reason.
        return f"<rank {self.rank} in {len(self.down)} layers>"

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return sum(a.size for a in (*self.down.values(), *self.up.values()))

    def add_to(self, weights: dict[str, np.ndarray]) -> None:
        """Add the changes in place to the state dict of the encoder."""
        for name, down in self.down.items():
            change = self.up[name] @ down
            change *= self.scale
            weights[f"{name}.weight"] += change

    def check_fits(self, weights: Mapping[str, Any]) -> None:
        """Raise a ValueError if the state dict is that of another kind of encoder."""
        if self.down.keys() != self.up.keys() or not math.isfinite(self.scale):
            raise ValueError("an adapter whose parts do not belong together")
        for name, down in self.down.items():
            weight, up = weights.get(f"{name}.weight"), self.up[name]
            if weight is None or weight.ndim != 2:
                raise ValueError(f"an adapter of an unknown layer {name[:200]!r}")
            wanted = (weight.shape[0], self.rank), (self.rank, weight.shape[1])
            is_float = {up.dtype.kind, down.dtype.kind} == {"f"}
            if (up.shape, down.shape) != wanted or not is_float:
                raise ValueError(f"an adapter that does not fit {name[:200]!r}")


@dataclass(frozen=True, eq=False)
class UnmergedEncoder:
    """What a file has in place of an encoder that is its base with an adapter.

    Attributes
    ----------
    architecture : Architecture
        That of the encoder, which declares how it was read in training.
    digest : str
        That of the encoder.
    """

    architecture: Architecture
    digest: str
