"""AdamW as fine-tuning wants it: groups, schedules, and rows of an embedding."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_bert._engine.training.model.token_embedding import RowEmbedding

BETAS = (0.9, 0.999)
EPSILON = 1e-8
# The attributes of RowAdamW that hold its state.
_ROW_MOMENTS = ("mean", "square", "n_steps")


@dataclass(frozen=True)
class TrainedTensor:
    """A tensor that is trained, and where in the model it stands.

    Attributes
    ----------
    name : str
    tensor : Tensor
    depth : int
        0 in the embeddings, k in the k-th layer, one more than the number of layers in
        the head.
    """

    name: str
    tensor: Tensor
    depth: int


def schedule_factor(step: int, n_steps: int, n_warmup: int, schedule: str) -> float:
    """Return the share of the learning rate that a step uses.

    Parameters
    ----------
    step : int
        Counted from 0.
    n_steps, n_warmup : int
        The rate rises over the first ``n_warmup`` steps.
    schedule : {"linear", "cosine", "constant"}
        How it falls over the others.
    """
    if step < n_warmup:
        return (step + 1) / n_warmup
    if schedule == "constant":
        return 1.0
    done = (step - n_warmup) / max(n_steps - n_warmup, 1)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return max(1 - done, 0.0)


def make_adamw(
    tensors: Iterable[TrainedTensor],
    *,
    learning_rate: float,
    weight_decay: float,
    layer_decay: float,
    top: int,
) -> torch.optim.AdamW:
    """Return AdamW with a group for each learning rate and decay.

    On a GPU its steps can be recorded in a CUDA graph.

    Biases and the parameters of norms, all vectors, do not decay. Each layer's rate is
    ``layer_decay`` times that of the layer above; ``top`` is the highest depth.
    """
    groups: dict[tuple[int, bool], dict[str, Any]] = {}
    is_on_gpu = False
    for trained in tensors:
        is_on_gpu = is_on_gpu or trained.tensor.is_cuda
        decays = trained.tensor.ndim > 1
        rate = learning_rate * layer_decay ** (top - trained.depth)
        group = groups.setdefault(
            (trained.depth, decays),
            {
                "params": [],
                "lr": rate,
                "full_rate": rate,
                "weight_decay": weight_decay if decays else 0.0,
            },
        )
        group["params"].append(trained.tensor)
    return torch.optim.AdamW(
        list(groups.values()),
        lr=learning_rate,
        betas=BETAS,
        eps=EPSILON,
        fused=True,
        capturable=is_on_gpu,
    )


def scale_rates(adamw: torch.optim.AdamW, factor: float) -> None:
    """Set each group's learning rate to a share of its full one."""
    for group in adamw.param_groups:
        group["lr"] = group["full_rate"] * factor


class RowAdamW:
    """AdamW for a :class:`RowEmbedding`: each row moves in the steps that use it.

    A row's moments, its correction of their bias and its decay go by the number of
    steps that used it, so a rare word is trained like a frequent one seen as often.

    Parameters
    ----------
    embedding : RowEmbedding
    learning_rate, weight_decay : float
    """

    def __init__(
        self, embedding: RowEmbedding, learning_rate: float, weight_decay: float
    ) -> None:
        weight = embedding.weight
        self._embedding = embedding
        self._rate = learning_rate
        self._weight_decay = weight_decay
        # Zeros that nobody touches take no memory.
        self.mean = torch.zeros_like(weight)
        self.square = torch.zeros_like(weight)
        self.n_steps = torch.zeros(
            (weight.shape[0], 1), dtype=weight.dtype, device=weight.device
        )

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Move the rows of the current batch by ``factor`` times the learning rate."""
        rows, leaf = self._embedding.rows, self._embedding.leaf
        if rows is None or leaf is None or leaf.grad is None:
            return
        rate, n_rows = self._rate * factor, rows.shape[0]
        value, gradient = leaf.detach()[:n_rows], leaf.grad[:n_rows]
        n_steps = self.n_steps[rows] + 1
        mean = self.mean[rows].lerp_(gradient, 1 - BETAS[0])
        square = self.square[rows].mul_(BETAS[1])
        square.addcmul_(gradient, gradient, value=1 - BETAS[1])
        self.n_steps[rows], self.mean[rows], self.square[rows] = n_steps, mean, square
        size = (square / (1 - BETAS[1] ** n_steps)).sqrt_().add_(EPSILON)
        move = mean.div_(1 - BETAS[0] ** n_steps).div_(size)
        value = value * (1 - rate * self._weight_decay)
        self._embedding.weight[rows] = value.sub_(move, alpha=rate)


def moments_to_arrays(
    adamw: torch.optim.AdamW, tensors: list[Tensor], row_adamw: RowAdamW | None
) -> dict[str, Any]:
    """Return what both optimisers have gathered, for :func:`load_moments`."""
    rows: dict[str, Tensor] = {}
    if row_adamw is not None:
        rows = {name: getattr(row_adamw, name) for name in _ROW_MOMENTS}
    return {
        "moments": [_to_arrays(adamw.state[one]) for one in tensors],
        "rows": _to_arrays(rows),
    }


def load_moments(
    state: dict[str, Any],
    adamw: torch.optim.AdamW,
    tensors: list[Tensor],
    row_adamw: RowAdamW | None,
) -> None:
    """Go on from what :func:`moments_to_arrays` returned for the same tensors."""
    for one, moments in zip(tensors, state["moments"], strict=True):
        adamw.state[one] = {
            name: torch.tensor(value, device=one.device)
            for name, value in moments.items()
        }
    for name, value in state["rows"].items():
        getattr(row_adamw, name).copy_(torch.tensor(value))


def _to_arrays(tensors: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
