"""BERT's layers as few large operations over flat batches.

The same numbers as transformers' modules with one product for queries, keys and
values, the activation and the residual sums inside the products, and, where only
[CLS] is wanted, a last layer that computes only [CLS]. It serves every model whose
layers are laid out as BERT's (RoBERTa, XLM-R, CamemBERT, ELECTRA); a numeric test
against transformers decides whether a model is one.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.attention import (
    first_token_attention,
    flat_attention,
)
from sklearn_bert._engine.encoding.backends import UnsuitableModelError
from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.encoding.linear import (
    ACTIVATIONS,
    Linear,
    end_of_packed,
    make_linear,
)


@dataclass(frozen=True)
class _Layer:
    """One layer's products and norms."""

    project_qkv: Linear
    project_out: Linear
    attention_norm: nn.LayerNorm
    expand: Linear
    contract: Linear
    output_norm: nn.LayerNorm


class FusedBackend:
    """BERT's layers over flat batches.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its module is taken over: moved and converted.
    device : torch.device
    dtype : torch.dtype
    n_layers : int or None
        How many layers are needed, from the lowest; None needs all.

    Raises
    ------
    UnsuitableModelError
        If the model's layers are not laid out as BERT's.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: torch.device,
        dtype: torch.dtype,
        n_layers: int | None = None,
    ) -> None:
        model: Any = checkpoint.model.to(device, dtype)
        self._activation = checkpoint.architecture.activation
        if self._activation not in ACTIVATIONS:
            raise UnsuitableModelError(
                f"its activation {self._activation!r} is not known"
            )
        try:
            attention = model.encoder.layer[0].attention.self
            self._n_heads: int = attention.num_attention_heads
            self._head_size: int = attention.attention_head_size
            self._layers = [
                self._take_layer(depth, layer)
                for depth, layer in enumerate(model.encoder.layer[:n_layers])
            ]
        except AttributeError as error:
            raise UnsuitableModelError(
                f"its layers are not those of BERT ({error})"
            ) from error
        self._end_of_packed = end_of_packed(device, dtype)
        self._embeddings = model.embeddings
        self._embeddings_project = getattr(model, "embeddings_project", None)
        self._first_position = checkpoint.architecture.first_position
        self._has_segments = checkpoint.architecture.has_segments

    def hidden_states(
        self, batch: Batch, layers: tuple[int, ...], *, only_first: bool
    ) -> list[Tensor]:
        """Return the hidden states that the layers put out.

        Parameters
        ----------
        batch : Batch
            n sequences of T tokens in all. If states of a layer are known, only those
            of this layer and of layers above can be returned.
        layers : tuple of int
            0 is the embeddings' output, k that of the k-th layer.
        only_first : bool
            Whether only the first token of each sequence is wanted.

        Returns
        -------
        list of Tensor of shape (n, hidden_size) or (T, hidden_size)
        """
        top, start = max(layers), batch.depth
        first = batch.first_tokens if only_first else None
        n_tokens = batch.input_ids.shape[0]
        x = self._embed(batch) if batch.states is None else batch.states
        x = self._pad(x)
        plan = self._plan(batch)
        wanted = {}
        if start in layers:
            wanted[start] = x[:n_tokens] if first is None else x[first]
        for depth, layer in enumerate(self._layers[start:top], start=start + 1):
            # The topmost layer need not compute the tokens that nobody reads.
            is_partial = first is not None and depth == top
            x = self._apply(layer, x, plan, first if is_partial else None)
            if depth in layers:
                is_whole = first is None or is_partial
                wanted[depth] = x[:n_tokens] if is_whole else x[first]
        return [wanted[layer] for layer in layers]

    @property
    def head_size(self) -> int:
        """Numbers of a query, a key or a value of one attention head."""
        return self._head_size

    def _n_rows(self, n_tokens: int) -> int:
        """Return to how many rows a batch is padded."""
        return _round_up(n_tokens) if n_tokens < self._end_of_packed else n_tokens

    def _pad(self, x: Tensor) -> Tensor:
        """Append rows of zeros up to a number of rows that is round."""
        n_more = self._n_rows(len(x)) - len(x)
        return F.pad(x, (0, 0, 0, n_more)) if n_more else x

    def _plan(self, batch: Batch) -> Any:
        """Return what the attention of all layers needs to know of a batch."""
        return batch

    def _take_layer(self, depth: int, layer: Any) -> Any:
        """Read a layer of transformers' into this file's form."""
        attention, output = layer.attention.self, layer.attention.output
        expand, contract = layer.intermediate.dense, layer.output.dense
        parts = (attention.query, attention.key, attention.value)
        weight, bias = (
            torch.cat([getattr(part, name).detach() for part in parts])
            for name in ("weight", "bias")
        )
        return _Layer(
            project_qkv=make_linear(weight, bias),
            project_out=make_linear(output.dense.weight, output.dense.bias),
            attention_norm=output.LayerNorm,
            expand=make_linear(expand.weight, expand.bias),
            contract=make_linear(contract.weight, contract.bias),
            output_norm=layer.output.LayerNorm,
        )

    def _embed(self, batch: Batch) -> Tensor:
        segments = batch.segments if self._has_segments else None
        if segments is None:
            segments = torch.zeros_like(batch.input_ids)
        x = self._embeddings(
            input_ids=batch.input_ids[None],
            position_ids=batch.positions[None] + self._first_position,
            token_type_ids=segments[None],
        )
        if self._embeddings_project is not None:
            x = self._embeddings_project(x)
        return x[0]

    def _apply(self, layer: Any, x: Tensor, plan: Any, first: Tensor | None) -> Tensor:
        """Apply one layer to all tokens, or to the first ones only."""
        qkv = layer.project_qkv(x).view(-1, 3, self._n_heads, self._head_size)
        query, key, value = qkv.unbind(1)
        scale = self._head_size**-0.5
        if first is None:
            attended = flat_attention(query, key, value, plan, scale)
        else:
            attended = first_token_attention(query[first], key, value, plan, scale)
            x = self._pad(x[first])
        attended = self._pad(attended.flatten(1))
        x = _norm(layer.attention_norm, layer.project_out.add(attended, x))
        wide = layer.expand(x, self._activation)
        x = _norm(layer.output_norm, layer.contract.add(wide, x))
        return x if first is None else x[: len(first)]


def _round_up(n_rows: int) -> int:
    """Return a number of rows for which there may be a kernel already.

    oneDNN compiles one for each new number of rows, which takes half as long as the
    product of a thousand rows itself.
    """
    step = 8 if n_rows <= 256 else 32
    return -(-n_rows // step) * step


def _norm(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    return F.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
