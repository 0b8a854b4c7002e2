"""BERT's layers as few large operations over flat batches.

The same numbers as transformers' modules with one product for queries, keys and
values, the activation and the residual sums inside the products, and, where only
[CLS] is wanted, a last layer that computes only [CLS]. It serves every model whose
layers are laid out as BERT's (RoBERTa, XLM-R, CamemBERT, ELECTRA); a numeric test
against transformers decides whether a model is one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_bert._engine.attention import first_token_attention, flat_attention
from sklearn_bert._engine.batching import Batch
from sklearn_bert._engine.checkpoints import Checkpoint
from sklearn_bert._engine.linear import (
    ACTIVATIONS,
    Linear,
    PlainLinear,
    make_linear,
    packed_linear_works,
)


class UnknownLayoutError(Exception):
    """The model's layers are not laid out as BERT's."""


@dataclass(frozen=True)
class _Layer:
    """One layer's products and norms, and the dropout behind its two blocks."""

    project_qkv: Linear
    project_out: Linear
    attention_norm: nn.LayerNorm
    expand: Linear
    contract: Linear
    output_norm: nn.LayerNorm
    dropout: Callable[[Tensor], Tensor] | None = None


class FusedEncoder:
    """BERT's layers over flat batches.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its module is taken over: moved and converted.
    device : torch.device
    dtype : torch.dtype
    is_trainable : bool
        Whether the weights stay where gradients reach them. Otherwise they may be
        copied into a layout that is faster to multiply.

    Attributes
    ----------
    joint_parameters : dict of str to Parameter
        Of a trainable encoder: the queries', keys' and values' weights as one. The
        module's own three become views of them, so they change together.

    Raises
    ------
    UnknownLayoutError
        If the model's layers are not laid out as BERT's.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: torch.device,
        dtype: torch.dtype,
        *,
        is_trainable: bool = False,
    ) -> None:
        model: Any = checkpoint.model.to(device, dtype)
        self.joint_parameters: dict[str, nn.Parameter] = {}
        self._activation = checkpoint.architecture.activation
        if self._activation not in ACTIVATIONS:
            raise UnknownLayoutError(f"activation {self._activation!r}")
        try:
            attention = model.encoder.layer[0].attention.self
            self._n_heads: int = attention.num_attention_heads
            self._head_size: int = attention.attention_head_size
            self._layers = [
                self._take_layer(depth, layer, is_trainable)
                for depth, layer in enumerate(model.encoder.layer)
            ]
        except AttributeError as error:
            raise UnknownLayoutError(str(error)) from error
        on_cpu = device.type == "cpu"
        self._is_packed = on_cpu and not is_trainable and packed_linear_works(dtype)
        self._embeddings = model.embeddings
        self._embeddings_project = getattr(model, "embeddings_project", None)
        self._first_position = checkpoint.architecture.first_position

    def hidden_states(
        self, batch: Batch, layers: tuple[int, ...], *, only_first: bool
    ) -> list[Tensor]:
        """Return the hidden states that the layers put out.

        Parameters
        ----------
        batch : Batch
            n sequences of T tokens in all.
        layers : tuple of int
            0 is the embeddings' output, k that of the k-th layer.
        only_first : bool
            Whether only the first token of each sequence is wanted.

        Returns
        -------
        list of Tensor of shape (n, hidden_size) or (T, hidden_size)
        """
        top = max(layers)
        first = batch.first_tokens if only_first else None
        n_tokens = batch.input_ids.shape[0]
        x = self._embed(batch)
        if self._is_packed:
            x = F.pad(x, (0, 0, 0, _round_up(n_tokens) - n_tokens))
        wanted = {0: x[:n_tokens] if first is None else x[first]} if 0 in layers else {}
        for depth, layer in enumerate(self._layers[:top], start=1):
            # The topmost layer need not compute the tokens that nobody reads.
            is_partial = first is not None and depth == top
            x = self._apply(layer, x, batch, first if is_partial else None)
            if depth in layers:
                is_whole = first is None or is_partial
                wanted[depth] = x[:n_tokens] if is_whole else x[first]
        return [wanted[layer] for layer in layers]

    def set_dropout(self, dropout: Callable[[Tensor], Tensor], n_frozen: int) -> None:
        """Let ``dropout`` act in all layers above the ``n_frozen`` lowest ones."""
        self._layers[n_frozen:] = [
            replace(layer, dropout=dropout) for layer in self._layers[n_frozen:]
        ]

    def _take_layer(self, depth: int, layer: Any, is_trainable: bool) -> _Layer:
        """Read a layer of transformers' into this file's form."""
        make: Callable[[Tensor, Tensor], Linear]
        make = PlainLinear if is_trainable else make_linear
        attention, output = layer.attention.self, layer.attention.output
        expand, contract = layer.intermediate.dense, layer.output.dense
        parts = (attention.query, attention.key, attention.value)
        joint = {
            name: torch.cat([getattr(part, name).detach() for part in parts])
            for name in ("weight", "bias")
        }
        if is_trainable:
            for name, tensor in joint.items():
                joint[name] = parameter = nn.Parameter(tensor, requires_grad=False)
                full_name = f"encoder.layer.{depth}.attention.self.qkv.{name}"
                self.joint_parameters[full_name] = parameter
                for part, piece in zip(parts, tensor.chunk(3), strict=True):
                    getattr(part, name).data = piece
        return _Layer(
            project_qkv=make(joint["weight"], joint["bias"]),
            project_out=make(output.dense.weight, output.dense.bias),
            attention_norm=output.LayerNorm,
            expand=make(expand.weight, expand.bias),
            contract=make(contract.weight, contract.bias),
            output_norm=layer.output.LayerNorm,
            dropout=_keep if is_trainable else None,
        )

    def _embed(self, batch: Batch) -> Tensor:
        x = self._embeddings(
            input_ids=batch.input_ids[None],
            position_ids=batch.positions[None] + self._first_position,
            token_type_ids=(
                torch.zeros_like(batch.input_ids)[None]
                if batch.segments is None
                else batch.segments[None]
            ),
        )
        if self._embeddings_project is not None:
            x = self._embeddings_project(x)
        return x[0]

    def _apply(
        self, layer: _Layer, x: Tensor, batch: Batch, first: Tensor | None
    ) -> Tensor:
        """Apply one layer to all tokens, or to the first ones only."""
        qkv = layer.project_qkv(x).view(-1, 3, self._n_heads, self._head_size)
        query, key, value = qkv.unbind(1)
        scale = self._head_size**-0.5
        if first is None:
            attended = flat_attention(query, key, value, batch, scale)
        else:
            x = x[first]
            attended = first_token_attention(query[first], key, value, batch, scale)
        attended = attended.view(x.shape[0], -1)
        x = _norm(
            layer.attention_norm, _add(layer.project_out, attended, x, layer.dropout)
        )
        wide = layer.expand(x, self._activation)
        return _norm(layer.output_norm, _add(layer.contract, wide, x, layer.dropout))


def _keep(x: Tensor) -> Tensor:
    return x


def _add(
    linear: Linear,
    x: Tensor,
    residual: Tensor,
    dropout: Callable[[Tensor], Tensor] | None,
) -> Tensor:
    if dropout is None:
        return linear.add(x, residual)
    # Not in place: under autocast the product is bfloat16 and the sum must not be.
    return residual + dropout(linear(x))


def _round_up(n_rows: int) -> int:
    """Return a number of rows for which there may be a kernel already.

    oneDNN compiles one for each new number of rows, which takes half as long as the
    product of a thousand rows itself.
    """
    step = 8 if n_rows <= 256 else 32
    return -(-n_rows // step) * step


def _norm(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    return F.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
