"""Layers whose activations are computed again in the backward pass.

Only the input of a layer is kept, so that the activations of one layer at a time are in
memory. The modules of transformers could do the same, but only in training mode, which
they are never in; see :mod:`~sklearn_bert._engine.training.model.trainable`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from sklearn_bert._engine.training.model.dropout import Dropout


def recomputed(function: Callable[..., Any], dropout: Dropout) -> Callable[..., Any]:
    """Return a function that keeps none of its intermediate results for gradients.

    Parameters
    ----------
    function : callable
    dropout : Dropout
        The only source of random numbers in the function.

    Returns
    -------
    callable
        With the same parameters, results and gradients.
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return function(*args, **kwargs)
        return checkpoint(
            partial(function, **kwargs),
            *args,
            use_reentrant=False,
            context_fn=dropout.same_masks,
            # It is global, and not used.
            preserve_rng_state=False,
        )

    return run


def recompute_layers(model: nn.Module, dropout: Dropout) -> None:
    """Let a model of transformers recompute each of its layers.

    Parameters
    ----------
    model : nn.Module
        The layers are the items of its lists of modules. Their calls are changed.
    dropout : Dropout
        The only one of the model.
    """
    lists: list[str] = []
    for name, module in model.named_modules():
        is_inside = any(name.startswith(f"{outer}.") for outer in lists)
        if isinstance(module, nn.ModuleList) and not is_inside:
            lists.append(name)
            for layer in module:
                layer.forward = recomputed(layer.forward, dropout)
