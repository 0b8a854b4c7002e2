"""AdamW with parameter groups, learning rate schedules and gradient clipping."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_bert._engine.compat.torch_private import multiply_all
from sklearn_bert._engine.runtime.device import name_of
from sklearn_bert._engine.training.model.layer_depth import TrainedTensor
from sklearn_bert._engine.training.model.token_embedding import (
    BETAS,
    EPSILON,
    RowAdamW,
    RowEmbedding,
)

# Gradients with a larger norm are scaled down to it, as in BERT's own fine-tuning.
_MAX_NORM = 1.0
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
# The attributes of RowAdamW that hold its state.
_ROW_MOMENTS = ("mean", "square", "n_steps")


class Optimizer:
    """AdamW for tensors, and for the rows of a token embedding that a batch uses.

    Parameters
    ----------
    trained : sequence of TrainedTensor
        The tensors of the head are the last ones.
    token_embedding : RowEmbedding or None
    learning_rate, weight_decay, layer_decay : float

    Attributes
    ----------
    trained : sequence of TrainedTensor
    tensors : list of Tensor
        The tensors of ``trained``.
    adamw : torch.optim.AdamW
        Optimizer of these tensors. On a GPU, a CUDA graph can record its steps.
    token_embedding : RowEmbedding or None

    Raises
    ------
    ValueError
        If the dtype of the weights cannot hold the learning rate.
    """

    def __init__(
        self,
        trained: list[TrainedTensor],
        token_embedding: RowEmbedding | None,
        *,
        learning_rate: float,
        weight_decay: float,
        layer_decay: float = 1.0,
    ) -> None:
        self.trained = trained
        self.tensors = [one.tensor for one in trained]
        self.token_embedding = token_embedding
        _check_learning_rate(learning_rate, self.dtype)
        self.adamw = torch.optim.AdamW(
            _parameter_groups(trained, learning_rate, weight_decay, layer_decay),
            lr=learning_rate,
            betas=BETAS,
            eps=EPSILON,
            fused=True,
            capturable=self.device.type == "cuda",
        )
        self._row_adamw = None
        if token_embedding is not None:
            rate = learning_rate * layer_decay ** trained[-1].depth
            self._row_adamw = RowAdamW(token_embedding, rate, weight_decay)

    @property
    def n_parameters(self) -> int:
        """Number of weights that are trained."""
        return sum(tensor.numel() for tensor in self.weights())

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the weights."""
        return self.tensors[-1].dtype

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.tensors[-1].device

    @property
    def learning_rate(self) -> float:
        """Learning rate of the head in the last step."""
        rate: float = self.adamw.param_groups[-1]["lr"]
        return rate

    def weights(self) -> list[Tensor]:
        """Return all tensors that change, the table of the token embedding included."""
        embedding = self.token_embedding
        table = [] if embedding is None else [embedding.weight]
        return [*self.tensors, *table]

    def gradients(self) -> list[Tensor]:
        """Return the gradients of the current batch that are not None."""
        trained = self.trained_now()
        return [tensor.grad for tensor in trained if tensor.grad is not None]

    def trained_now(self) -> list[Tensor]:
        """Return all tensors that the current batch trains."""
        embedding = self.token_embedding
        leaf = None if embedding is None else embedding.leaf
        return self.tensors if leaf is None else [*self.tensors, leaf]

    def step(self, norm: float, factor: float) -> None:
        """Clip the gradients, and update the weights.

        Parameters
        ----------
        norm : float
            Norm of all gradients together.
        factor : float
            Factor on the learning rate.
        """
        clip(self.gradients(), norm)
        self.scale_rates(factor)
        self.adamw.step()
        self.step_rows(factor)

    def scale_rates(self, factor: float) -> None:
        """Set the learning rate of each group to ``factor`` times its full rate."""
        for group in self.adamw.param_groups:
            group["lr"] = group["full_rate"] * factor

    def step_rows(self, factor: float) -> None:
        """Update the rows of the token embedding, if it is trained."""
        if self._row_adamw is not None:
            self._row_adamw.step(factor)

    def release(self) -> None:
        """Drop the gradients, and the rows of the current batch."""
        self.adamw.zero_grad()
        if self.token_embedding is not None:
            self.token_embedding.release()

    def moments(self) -> dict[str, Tensor]:
        """Return the optimizer state. The keys have the form "moment:tensor"."""
        rows = {} if self._row_adamw is None else vars(self._row_adamw)
        return {
            **{
                f"{moment}:{one.name}": tensor
                for one in self.trained
                for moment, tensor in self.adamw.state[one.tensor].items()
            },
            **{f"{moment}:": rows[moment] for moment in _ROW_MOMENTS if rows},
        }

    def load_moments(self, moments: Mapping[str, Tensor]) -> None:
        """Restore the state that :meth:`moments` returned for the same tensors."""
        for one in self.trained:
            # A tensor that has had no gradient has no moments.
            if f"step:{one.name}" in moments:
                self.adamw.state[one.tensor] = {
                    moment: moments[f"{moment}:{one.name}"].to(self.device)
                    for moment in _MOMENTS
                }
        if self._row_adamw is not None:
            for moment in _ROW_MOMENTS:
                getattr(self._row_adamw, moment).copy_(moments[f"{moment}:"])

    def state(self) -> dict[str, Any]:
        """Return the moments as arrays, from which another training can continue."""
        moments = self.moments().items()
        return {
            "kind": self.kind_of_state(),
            "moments": {name: tensor.cpu().numpy() for name, tensor in moments},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state` returned, if it is for the same tensors."""
        if state["kind"] == self.kind_of_state():
            # Copied, since the estimator that holds the state may be used again.
            arrays = state["moments"].items()
            self.load_moments({name: torch.tensor(array) for name, array in arrays})

    def kind_of_state(self) -> list[str]:
        """Return a description that differs if other tensors or dtypes are trained."""
        return [
            f"rows: {self.token_embedding is not None}",
            *(
                f"{one.name} {tuple(one.tensor.shape)} {one.tensor.dtype}"
                for one in self.trained
            ),
        ]


def _check_learning_rate(learning_rate: float, dtype: torch.dtype) -> None:
    largest = torch.finfo(dtype).max
    if learning_rate > largest:
        raise ValueError(
            f"learning_rate must be at most {largest:.3g}, the largest number in "
            f"{name_of(dtype)}. Got {learning_rate:g}. Lower it; "
            "values from 1e-5 to 1e-3 are common."
        )


def schedule_factor(step: int, n_steps: int, n_warmup: int, schedule: str) -> float:
    """Return the factor on the learning rate in a step.

    Parameters
    ----------
    step : int
        Counted from 0.
    n_steps, n_warmup : int
        The rate rises over the first ``n_warmup`` steps.
    schedule : {"linear", "cosine", "constant"}
        How the rate falls over the remaining steps.
    """
    if step < n_warmup:
        return (step + 1) / n_warmup
    if schedule == "constant":
        return 1.0
    done = (step - n_warmup) / max(n_steps - n_warmup, 1)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return max(1 - done, 0.0)


def read_loss_and_norm(loss: Tensor, gradients: list[Tensor]) -> tuple[float, float]:
    """Return the value of a scalar loss, and the norm of all gradients together."""
    norm = nn.utils.get_total_norm(gradients)
    # The only time in a step that the CPU waits for the device.
    loss_value, norm_value = torch.stack([loss, norm.to(loss.dtype)]).tolist()
    return loss_value, norm_value


def clip(gradients: list[Tensor], norm: float) -> None:
    """Scale gradients down in place if their norm is too large."""
    if norm > _MAX_NORM:
        multiply_all(gradients, _MAX_NORM / norm)


def clip_factor(norm: Tensor) -> Tensor:
    """Return the factor that :func:`clip` applies, as a tensor; at most 1."""
    return (_MAX_NORM / norm).clamp(max=1.0)


def _parameter_groups(
    trained: list[TrainedTensor],
    learning_rate: float,
    weight_decay: float,
    layer_decay: float,
) -> list[dict[str, Any]]:
    """Return a parameter group for each learning rate and weight decay.

    Biases and parameters of layer norms, all of them vectors, have no weight decay. The
    learning rate of a layer is ``layer_decay`` times that of the layer above.
    """
    groups: dict[tuple[int, bool], dict[str, Any]] = {}
    for one in trained:
        decays = one.tensor.ndim > 1
        rate = learning_rate * layer_decay ** (trained[-1].depth - one.depth)
        group = groups.setdefault(
            (one.depth, decays),
            {
                "params": [],
                "lr": rate,
                "full_rate": rate,
                "weight_decay": weight_decay if decays else 0.0,
            },
        )
        group["params"].append(one.tensor)
    return list(groups.values())
