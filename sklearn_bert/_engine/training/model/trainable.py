"""Encoders with trainable weights, on the same backends as frozen ones.

transformers' modules stay in evaluation mode, and each dropout of torch in them is
replaced by a :class:`Dropout` of ours: torch's draws from the global generator of the
process, and in training mode some modules drop attention, which flash kernels do not
support.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.backend_choice import (
    choose_backend_class,
    runs_in_autocast,
)
from sklearn_bert._engine.encoding.backends import FlatBackend, ModuleBackend
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.training.adapter.layers import AdapterPlan, add_adapter
from sklearn_bert._engine.training.model.dropout import Dropout
from sklearn_bert._engine.training.model.flat import TrainableFlatBackend
from sklearn_bert._engine.training.model.fused import (
    AdaptedFusedBackend,
    TrainableFusedBackend,
)
from sklearn_bert._engine.training.model.layer_depth import LayerDepths, TrainedTensor
from sklearn_bert._engine.training.model.recomputation import recompute_layers
from sklearn_bert._engine.training.model.token_embedding import RowEmbedding


@dataclass(frozen=True)
class TrainableEncoder:
    """An encoder with weights that a training loop may change.

    Attributes
    ----------
    encoder : Encoder
        Always uses the current weights.
    tensors : tuple of TrainedTensor
        All that is trained except the token embedding.
    token_embedding : RowEmbedding or None
        None if it is not trained, or trained as a whole among ``tensors``.
    dropout : Dropout
    recomputes : bool
        Whether activations are computed again in the backward pass.
    adapter : AdapterPlan or None
        What is trained in place of the encoder's own weights.
    """

    encoder: Encoder
    tensors: tuple[TrainedTensor, ...]
    token_embedding: RowEmbedding | None
    dropout: Dropout
    recomputes: bool = False
    adapter: AdapterPlan | None = None

    @property
    def architecture(self) -> Architecture:
        """The encoder's."""
        return self.encoder.architecture

    @contextmanager
    def training(self) -> Iterator[None]:
        """Switch dropout and autocast on."""
        self.dropout.is_on = True
        try:
            with self.encoder.autocast():
                yield
        finally:
            self.dropout.is_on = False


def make_trainable(
    checkpoint: Checkpoint,
    device: torch.device,
    dtype: torch.dtype,
    *,
    autocast_dtype: torch.dtype | None,
    n_frozen: int,
    dropout: float,
    seed: int,
    trains_all_tokens: bool = False,
    n_modules: int = 0,
    recomputes: bool = False,
    adapter: AdapterPlan | None = None,
    backend_class: type[ModuleBackend] | type[FusedBackend] | None = None,
) -> TrainableEncoder:
    """Make a checkpoint's weights trainable.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its module is taken over.
    device : torch.device
    dtype : torch.dtype
        Of the weights.
    autocast_dtype : torch.dtype or None
        Ignored if the model cannot run in it.
    n_frozen : int
        0 trains all; 1 all but the embeddings; k + 1 all but these and the k lowest
        layers. Frozen layers have no dropout.
    dropout : float
    seed : int
        Of the dropout, and of a new adapter.
    trains_all_tokens : bool
        Whether each step trains every row of the token embedding, as predicting hidden
        tokens needs, and not only the rows that a batch uses.
    n_modules : int
        How many of the modules after the pooling are trained, unless all layers are
        frozen. Their depth is that of the last layer.
    recomputes : bool
        Whether the activations of a layer are computed again in the backward pass,
        which takes less memory and more time.
    adapter : AdapterPlan or None
        What is trained in place of the weights of layers that are not frozen, and of
        the modules. Embeddings are not trained then.
    backend_class : type or None
        That of :func:`choose_backend_class`, which None calls.

    Returns
    -------
    TrainableEncoder
    """
    kind = backend_class or choose_backend_class(checkpoint)
    model: Any = checkpoint.model.to(device, dtype)
    if adapter is not None:
        add_adapter(model, adapter, seed)
    drop = Dropout(dropout, seed, device)
    if issubclass(kind, FusedBackend):
        fused = TrainableFusedBackend if adapter is None else AdaptedFusedBackend
        backend: Any = fused(checkpoint, device, dtype)
        backend.train_layers(drop, max(n_frozen - 1, 0), recomputes=recomputes)
        extra = backend.joint_parameters
    else:
        kind = TrainableFlatBackend if kind is FlatBackend else kind
        backend, extra = kind(checkpoint, device, dtype), {}
        if recomputes:
            recompute_layers(model, drop)
    architecture = checkpoint.architecture
    depths = LayerDepths(model, architecture.n_layers)
    _replace_dropout(model, drop, depths, n_frozen)
    token_embedding = None
    table = model.get_input_embeddings()
    rows_only = n_frozen == 0 and not trains_all_tokens and adapter is None
    if rows_only and isinstance(table, nn.Embedding):
        token_embedding = RowEmbedding(table.weight)
        model.set_input_embeddings(token_embedding)
    joined = {name.replace(".qkv.", f".{part}.") for name in extra for part in _QKV}
    tensors = tuple(
        TrainedTensor(name, parameter.requires_grad_(), depth)
        for name, parameter in (*model.named_parameters(), *extra.items())
        if (adapter is None or parameter.requires_grad)
        and (depth := depths.of_weight(name)) >= n_frozen
        and name not in joined
        and not (token_embedding is not None and parameter is token_embedding.weight)
    )
    modules = checkpoint.modules.to(device, dtype)
    if n_frozen <= architecture.n_layers and adapter is None:
        tensors += tuple(
            TrainedTensor(
                f"modules.{name}", parameter.requires_grad_(), architecture.n_layers
            )
            for name, parameter in modules[:n_modules].named_parameters()
        )
    if autocast_dtype is not None and not runs_in_autocast(
        backend, checkpoint, device, autocast_dtype
    ):
        autocast_dtype = None
    encoder = Encoder(
        backend,
        checkpoint.tokenizer,
        architecture,
        device,
        dtype,
        autocast_dtype,
        modules,
    )
    return TrainableEncoder(
        encoder, tensors, token_embedding, drop, recomputes, adapter
    )


_QKV = ("query", "key", "value")


def _replace_dropout(
    model: nn.Module, dropout: Dropout, depths: LayerDepths, n_frozen: int
) -> None:
    """Use ``dropout`` in the parts of the model that are trained, none elsewhere."""
    for name, module in list(model.named_modules()):
        for child_name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                is_trained = depths.of_module(f"{name}.{child_name}") >= n_frozen
                setattr(module, child_name, dropout if is_trained else nn.Identity())
