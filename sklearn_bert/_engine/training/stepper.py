"""One training step, in fine-tuning and pre-training: gradients, check, update."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Generic

import torch

from sklearn_bert._engine.runtime.memory import retry_smaller
from sklearn_bert._engine.runtime.ranks import ALONE, Ranks
from sklearn_bert._engine.training.batches import TrainingBatch
from sklearn_bert._engine.training.config import LoopLog
from sklearn_bert._engine.training.cuda_graphs import CudaGraphRunner, why_not_recorded
from sklearn_bert._engine.training.model.supervised import SupervisedModel
from sklearn_bert._engine.training.optimizer import Optimizer
from sklearn_bert._engine.training.step_runner import (
    Part,
    PlainStepRunner,
    Step,
    StepRunner,
)
from sklearn_bert._engine.training.weight_snapshot import WeightSnapshot
from sklearn_bert.exceptions import DivergenceError

_LOGGER = logging.getLogger("sklearn_bert")


@dataclass(frozen=True)
class Stepper(Generic[Part]):
    """Makes the optimizer steps of one training.

    Attributes
    ----------
    runner : StepRunner
    optimizer : Optimizer
    kept : WeightSnapshot
        The weights that are restored if the training diverges.
    log : LoopLog
        Counts the steps.
    n_steps : int
        Number of planned steps.
    learning_rate : float
    schedule : callable
        Maps a step, counted from 0, to its factor on the learning rate.
    dtype : torch.dtype
        Of matrix products, which the remedy for a divergence depends on.
    """

    runner: StepRunner[Part]
    optimizer: Optimizer
    kept: WeightSnapshot
    log: LoopLog
    n_steps: int
    learning_rate: float
    schedule: Callable[[int], float]
    dtype: torch.dtype

    def accumulate(
        self, step: Step[Part], make_smaller: Callable[[Step[Part], str], Step[Part]]
    ) -> tuple[float, float]:
        """Compute the gradients of a step, in smaller parts if memory runs out.

        Parameters
        ----------
        step : Step
        make_smaller : callable
            See :func:`~sklearn_bert._engine.runtime.memory.retry_smaller`.

        Returns
        -------
        loss : float
        norm : float
            Norm of all gradients together.

        Raises
        ------
        DivergenceError
            If the loss or the norm is NaN or infinite.
        """
        loss, norm = retry_smaller(
            self.runner.accumulate,
            step,
            make_smaller,
            device=self.optimizer.device,
            release=self.optimizer.release,
        )
        if not isfinite(loss):
            raise self.divergence("loss")
        if not isfinite(norm):
            raise self.divergence("gradient")
        return loss, norm

    def update(self, norm: float) -> None:
        """Update the weights with gradients of the given norm, and drop these."""
        self.runner.update(norm, self.schedule(self.log.n_steps))
        self.optimizer.release()
        self.log.n_steps += 1

    def divergence(self, what: str, *, is_after: bool = False) -> DivergenceError:
        """Return the error about a value that became NaN or infinite.

        Parameters
        ----------
        what : str
        is_after : bool
            True if the last step caused it, False if the current one did.
        """
        step = self.log.n_steps if is_after else self.log.n_steps + 1
        rate = self.learning_rate * self.schedule(step - 1)
        remedies = "or raise warmup"
        if torch.finfo(self.dtype).bits < 32:
            remedies = "raise warmup, or set dtype='float32'"
        return DivergenceError(
            f"The {what} became NaN or infinite {'after' if is_after else 'at'} step "
            f"{step} of {self.n_steps}, with a learning rate of {rate:.3g}. The "
            f"{self.kept.name} are kept. Lower learning_rate (it is "
            f"{self.learning_rate:g}), {remedies}."
        )


def make_step_runner(
    model: SupervisedModel, optimizer: Optimizer, batch_size: int, ranks: Ranks = ALONE
) -> StepRunner[TrainingBatch]:
    """Return the fastest runner for fine-tuning with ``batch_size`` texts."""
    plain: PlainStepRunner[TrainingBatch] = PlainStepRunner(
        model.sum_losses, optimizer, ranks
    )
    # A graph clips gradients at once, before those of other ranks are known.
    if optimizer.device.type != "cuda" or not ranks.is_alone:
        return plain
    if reason := why_not_recorded(model):
        _LOGGER.debug("Training steps are not recorded as CUDA graphs: %s.", reason)
        return plain
    return CudaGraphRunner(plain, model.trainable.dropout, batch_size)
