"""The linear layers that an adapter is added to."""

from typing import Any

import torch
from torch import nn

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.backend_choice import self_test_sequences
from sklearn_bert._engine.encoding.backends import ModuleBackend, PaddedBackend
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert._engine.training.model.layer_depth import LayerDepths

_CPU = torch.device("cpu")


@quietly()
def find_targets(
    checkpoint: Checkpoint,
    backend_class: type[ModuleBackend] | type[FusedBackend],
    n_frozen: int,
) -> tuple[str, ...]:
    """Return the names of all linear layers in the layers that are trained.

    A model may read the weights of a linear layer without calling it. An adapter would
    not change its result, so that only those that are called are returned.

    Parameters
    ----------
    checkpoint : Checkpoint
        On the CPU.
    backend_class : type
        That of :func:`choose_backend_class` for it.
    n_frozen : int
        As for :func:`make_trainable`. The embeddings never have an adapter.

    Returns
    -------
    tuple of str
    """
    model, n_layers = checkpoint.model, checkpoint.architecture.n_layers
    depths = LayerDepths(model, n_layers)
    linear = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and depths.of_module(name) >= max(n_frozen, 1)
    }
    called: set[nn.Module] = set()

    def note(module: nn.Module, *_: Any) -> None:
        called.add(module)

    # The modules of BERT's layers are only called by the modules that contain them.
    kind = PaddedBackend if issubclass(backend_class, FusedBackend) else backend_class
    backend = kind(checkpoint, _CPU, next(model.parameters()).dtype)
    sequences = self_test_sequences(checkpoint)
    batch = collate(sequences, range(len(sequences.ids)))
    hooks = [module.register_forward_hook(note) for module in linear.values()]
    try:
        with torch.inference_mode(), multiply_in(_CPU):
            backend.hidden_states(batch, (n_layers,), only_first=False)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(name for name, module in linear.items() if module in called)
