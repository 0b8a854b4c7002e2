"""transformers' modules on flat batches, with trainable weights."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from sklearn_bert._engine.encoding.backends import FlatBackend
from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.training.model.attention import (
    Block,
    block_attention,
    plan_blocks,
)
from sklearn_bert._engine.training.model.autograd import pad_rows, product_dtype


class TrainableFlatBackend(FlatBackend):
    """A flat backend whose attention on a CPU has an explicit gradient."""

    @property
    def _weight(self) -> Tensor:
        weight: Tensor = next(self._model.parameters())
        return weight

    def _n_rows(self, n_tokens: int) -> int:
        return pad_rows(n_tokens, self._weight)

    def _plan(self, batch: Batch) -> Any:
        if self._weight.device.type != "cpu":
            return super()._plan(batch)
        n_heads = self._model.config.num_attention_heads
        return _BlockPlan(batch, n_heads, product_dtype(self._weight))


@dataclass
class _BlockPlan:
    """The attention of all layers over one batch."""

    batch: Batch
    n_heads: int
    dtype: torch.dtype

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, scale: float, reach: int | None
    ) -> Tensor:
        """Attend; parameters and result are those of ``flat_attention``."""
        qkv = torch.stack((query, key, value), dim=1).flatten(1)
        # Rotated queries and keys may have the dtype of their angles.
        qkv = qkv.to(self.dtype)
        return block_attention(qkv, self._blocks, scale, reach).view(query.shape)

    @cached_property
    def _blocks(self) -> list[Block]:
        return plan_blocks(self.batch, self.dtype, self.n_heads)
