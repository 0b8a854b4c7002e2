"""BERT's layers as a few large operations, with trainable weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.attention import (
    first_token_attention,
    flat_attention,
)
from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.encoding.linear import activate
from sklearn_bert._engine.training.model.attention import (
    Block,
    block_attention,
    plan_blocks,
)
from sklearn_bert._engine.training.model.autograd import (
    add_norm,
    linear,
    pad_rows,
    product_dtype,
)
from sklearn_bert._engine.training.model.dropout import Dropout
from sklearn_bert._engine.training.model.recomputation import recomputed

_Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class _Layer:
    """One layer's products and norms, and what training does with it.

    ``project_qkv`` gives queries, keys and values as one. The dropout is after each of
    the two blocks. ``is_recomputed`` tells whether the activations are computed again
    in the backward pass.
    """

    project_qkv: _Product
    project_out: _Product
    attention_norm: nn.LayerNorm
    expand: _Product
    contract: _Product
    output_norm: nn.LayerNorm
    dropout: Dropout | None = None
    is_recomputed: bool = False


class TrainableFusedBackend(FusedBackend):
    """BERT's layers on flat batches, with the module's own weights.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its module is taken over: moved and converted.
    device : torch.device
    dtype : torch.dtype

    Attributes
    ----------
    joint_parameters : dict of str to Parameter
        The weights of queries, keys and values as one. The module's own three become
        views of them, so that they change together.

    Raises
    ------
    UnsuitableModelError
        If the model's layers are not laid out as BERT's.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.joint_parameters: dict[str, nn.Parameter] = {}
        self._on_cpu = device.type == "cpu"
        super().__init__(checkpoint, device, dtype)
        model: Any = checkpoint.model
        self._weight = model.encoder.layer[0].output.dense.weight

    def train_layers(
        self, dropout: Dropout, n_frozen: int, *, recomputes: bool
    ) -> None:
        """Prepare all layers above the ``n_frozen`` lowest ones for training.

        Parameters
        ----------
        dropout : Dropout
        n_frozen : int
        recomputes : bool
            Whether activations are computed again in the backward pass.
        """
        self._layers[n_frozen:] = [
            replace(layer, dropout=dropout, is_recomputed=recomputes)
            for layer in self._layers[n_frozen:]
        ]

    def _n_rows(self, n_tokens: int) -> int:
        return pad_rows(n_tokens, self._weight)

    def _plan(self, batch: Batch) -> tuple[Batch, list[Block]]:
        if not self._on_cpu:
            return batch, []
        dtype = product_dtype(self._weight)
        return batch, plan_blocks(batch, dtype, self._n_heads)

    def _take_layer(self, depth: int, layer: Any) -> _Layer:
        attention, output = layer.attention.self, layer.attention.output
        parts = (attention.query, attention.key, attention.value)
        return _Layer(
            project_qkv=self._join(f"encoder.layer.{depth}.attention.self.qkv", parts),
            project_out=self._product(output.dense),
            attention_norm=output.LayerNorm,
            expand=self._product(layer.intermediate.dense),
            contract=self._product(layer.output.dense),
            output_norm=layer.output.LayerNorm,
        )

    def _join(self, name: str, parts: tuple[Any, ...]) -> _Product:
        """Return the product of some linear layers as one, called ``name``."""
        joint = []
        for kind in ("weight", "bias"):
            tensor = torch.cat([getattr(part, kind).detach() for part in parts])
            joint.append(nn.Parameter(tensor, requires_grad=False))
            self.joint_parameters[f"{name}.{kind}"] = joint[-1]
            for part, piece in zip(parts, tensor.chunk(3), strict=True):
                getattr(part, kind).data = piece
        return partial(linear, weight=joint[0], bias=joint[1])

    def _product(self, layer: nn.Linear) -> _Product:
        """Return the product of a linear layer."""
        return partial(linear, weight=layer.weight, bias=layer.bias)

    def _apply(
        self,
        layer: _Layer,
        x: Tensor,
        plan: tuple[Batch, list[Block]],
        first: Tensor | None,
    ) -> Tensor:
        compute = self._compute
        if layer.is_recomputed and layer.dropout is not None:
            compute = recomputed(compute, layer.dropout)
        return compute(layer, x, plan, first)

    def _compute(
        self,
        layer: _Layer,
        x: Tensor,
        plan: tuple[Batch, list[Block]],
        first: Tensor | None,
    ) -> Tensor:
        attended = self._attend(layer.project_qkv(x), plan, first)
        x = x if first is None else x[first]
        out = layer.project_out(attended)
        x = _add_norm(out, x, layer.attention_norm, layer.dropout)
        wide = activate(layer.expand(x), self._activation)
        out = layer.contract(wide)
        return _add_norm(out, x, layer.output_norm, layer.dropout)

    def _attend(
        self, qkv: Tensor, plan: tuple[Batch, list[Block]], first: Tensor | None
    ) -> Tensor:
        """Attend from all tokens or the first ones: (R, 3 * size) to (n, size)."""
        batch, blocks = plan
        scale = self._head_size**-0.5
        if first is None and self._on_cpu:
            return block_attention(qkv, blocks, scale)
        query, key, value = qkv.view(-1, 3, self._n_heads, self._head_size).unbind(1)
        if first is None:
            attended = flat_attention(query, key, value, batch, scale)
        else:
            attended = first_token_attention(query[first], key, value, batch, scale)
        return attended.flatten(1)


class AdaptedFusedBackend(TrainableFusedBackend):
    """BERT's layers on flat batches, whose linear layers have an adapter.

    The weights are not copied into joint ones, since they are those of all fits.
    """

    def _join(self, name: str, parts: tuple[Any, ...]) -> _Product:
        return lambda x: torch.cat([part(x) for part in parts], dim=1)

    def _product(self, layer: nn.Linear) -> _Product:
        return layer


def _add_norm(
    x: Tensor, residual: Tensor, norm: nn.LayerNorm, dropout: Dropout | None
) -> Tensor:
    if dropout is None:
        return add_norm(x, residual, norm, None, 1.0)
    return add_norm(x, residual, norm, dropout.mask(x), dropout.scale)
