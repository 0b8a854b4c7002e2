"""Linear layers with an adapter, which the library peft computes."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_bert._engine.checkpoints.adapter import PackedAdapter
from sklearn_bert._engine.checkpoints.weights import NothingRandom
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert._engine.training.adapter.library import import_peft

# With the usual alpha of twice the rank, a learning rate suits all ranks.
SCALE = 2
# What peft calls an adapter without another name.
_NAME = "default"


@dataclass(frozen=True)
class AdapterPlan:
    """An adapter that is to be trained.

    Attributes
    ----------
    targets : tuple of str
        The names of linear layers.
    rank : int
    start : PackedAdapter or None
        The adapter that training continues from; None starts a new one.
    """

    targets: tuple[str, ...]
    rank: int
    start: PackedAdapter | None = None


def add_adapter(model: nn.Module, plan: AdapterPlan, seed: int) -> None:
    """Replace linear layers by layers with an adapter, the only trained weights.

    A new adapter changes nothing at first: one of its two matrices is 0, and the other
    one is drawn as peft draws it, but not from the global generator.

    Parameters
    ----------
    model : nn.Module
    plan : AdapterPlan
    seed : int
    """
    peft: Any = import_peft()
    config = peft.LoraConfig(
        r=plan.rank,
        lora_alpha=SCALE * plan.rank,
        lora_dropout=0.0,
        target_modules="|".join(map(re.escape, plan.targets)),
    )
    with quietly(), NothingRandom():
        peft.inject_adapter_in_model(config, model, adapter_name=_NAME)
    generator = torch.Generator().manual_seed(seed)
    for name in plan.targets:
        down, up = _matrices(model.get_submodule(name))
        if plan.start is None:
            bound = down.shape[1] ** -0.5
            drawn = torch.empty(down.shape)
            down.copy_(drawn.uniform_(-bound, bound, generator=generator))
            up.zero_()
        else:
            down.copy_(torch.tensor(plan.start.down[name]))
            up.copy_(torch.tensor(plan.start.up[name]))


def take_adapter(model: nn.Module, plan: AdapterPlan) -> PackedAdapter:
    """Return the adapter of a model, which has its former linear layers then."""
    down, up = {}, {}
    for name in plan.targets:
        layer: Any = model.get_submodule(name)
        down[name], up[name] = map(_to_array, _matrices(layer))
        model.set_submodule(name, layer.get_base_layer())
    return PackedAdapter(plan.rank, float(SCALE), down, up)


def _matrices(layer: Any) -> tuple[Tensor, Tensor]:
    """Return the two matrices of an adapter, without their gradients."""
    return layer.lora_A[_NAME].weight.detach(), layer.lora_B[_NAME].weight.detach()


def _to_array(tensor: Tensor) -> np.ndarray:
    return tensor.to("cpu", copy=True).numpy()
