"""The training loop of a masked language model.

:meth:`Pretraining.run` handles interruptions and divergence. ``_run_steps`` iterates
over the steps, and ``_step`` makes one optimizer step.
"""

import math
import time
from itertools import chain
from typing import Any

import torch
from tqdm.auto import tqdm

from sklearn_bert._engine.masked_lm.batches import MaskedBatches, MaskedPart
from sklearn_bert._engine.masked_lm.config import PretrainingConfig, PretrainingLog
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.masked_lm.model import MaskedHead
from sklearn_bert._engine.masked_lm.resume import (
    SavedTraining,
    TrainingFile,
    clone_tensors,
)
from sklearn_bert._engine.masked_lm.schedule import PretrainingSchedule
from sklearn_bert._engine.masked_lm.self_supervised import SelfSupervisedModel
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.runtime.memory import (
    OutOfMemoryGuard,
    device_memory_error,
    release_memory,
    retry_smaller,
)
from sklearn_bert._engine.runtime.progress import progress_bar
from sklearn_bert._engine.runtime.ranks import ALONE, Ranks
from sklearn_bert._engine.text.corpus import TokenCorpus
from sklearn_bert._engine.training.model.trainable import TrainableEncoder
from sklearn_bert._engine.training.optimizer import Optimizer
from sklearn_bert._engine.training.step_runner import PlainStepRunner, Step
from sklearn_bert._engine.training.stepper import Stepper
from sklearn_bert._engine.training.weight_snapshot import WeightSnapshot
from sklearn_bert.exceptions import DivergenceError

# Number of sequences on which saved and final weights are checked.
_N_CHECKED = 8
# Saved attributes of the log. Dropout masks depend on ``part_tokens``.
_LOGGED = (
    "n_steps",
    "n_tokens",
    "loss_curve",
    "epoch_times",
    "part_tokens",
    "n_memory_errors",
)


class Pretraining:
    """A training of an encoder and the head that predicts masked tokens.

    Parameters
    ----------
    trainable : TrainableEncoder
        Must train all rows of its token embedding.
    head : MaskedHead
    corpus : TokenCorpus
    masker : Masker
    config : PretrainingConfig
    file : TrainingFile or None
        The checkpoint file.
    saved : SavedTraining or None
        The saved state to resume from.
    ranks : Ranks
        Each computes the gradients of its share of a batch. Rank 0 keeps the time and
        writes the file.

    Attributes
    ----------
    log : PretrainingLog
    """

    def __init__(
        self,
        trainable: TrainableEncoder,
        head: MaskedHead,
        corpus: TokenCorpus,
        masker: Masker,
        config: PretrainingConfig,
        file: TrainingFile | None = None,
        saved: SavedTraining | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self._model = model = SelfSupervisedModel(trainable, head)
        self._device = trainable.encoder.device
        self._config = config
        self._file = file
        self._ranks = ranks
        self._batches = MaskedBatches(
            corpus, masker, config.batch_tokens, config.seed, self._device, ranks
        )
        self._schedule = PretrainingSchedule(config, self._batches.per_epoch)
        # Sum and number of the losses in the current epoch.
        self._loss_sum, self._n_losses = 0.0, 0
        self.log = PretrainingLog(part_tokens=2 * config.batch_tokens)
        with OutOfMemoryGuard("The optimizer's state", self._device):
            self._optimizer = Optimizer(
                model.trained_tensors(),
                None,
                learning_rate=config.learning_rate,
                weight_decay=config.weight_decay,
            )
            called = "weights from the end of step {}"
            self._kept = WeightSnapshot(self._optimizer.tensors, called=called)
            if saved is not None:
                self._resume(saved)
            ranks.copy_first(self._optimizer.weights())
        self._stepper: Stepper[MaskedPart] = Stepper(
            PlainStepRunner(model.sum_losses, self._optimizer, ranks),
            self._optimizer,
            self._kept,
            self.log,
            n_steps=self._schedule.n_steps,
            learning_rate=config.learning_rate,
            schedule=self._factor,
            dtype=trainable.encoder.dtype_of_products,
        )
        # The numbers of steps at the last check of the weights and the last saving.
        self._checked_step = self._saved_step = self.log.n_steps
        # False while a step updates the weights.
        self._is_whole = True

    def run(self) -> PretrainingLog:
        """Train.

        After a divergence, the weights are the last ones with a finite loss.
        """
        self._schedule.start()
        self._saved_at = time.monotonic()
        what = "Training, with a gradient and two moments of each weight,"
        # An autocast context of the caller must not affect the head or the gradients.
        with OutOfMemoryGuard(what, self._device), multiply_in(self._device):
            try:
                for work in (self._run_steps, self._finish):
                    try:
                        work()
                    except KeyboardInterrupt:
                        # Other ranks may be at another step, and have other weights.
                        if not self._ranks.is_alone:
                            raise
                        self.log.was_interrupted = True
            except DivergenceError as error:
                self.log.error = error
                self._kept.restore()
            finally:
                self._optimizer.release()
                self._stepper.runner.free_memory()
        if self._n_losses:
            self.log.loss_curve.append(self._loss_sum / self._n_losses)
            self.log.end_epoch(self._schedule.seconds())
        return self.log

    def _run_steps(self) -> None:
        """Make the remaining steps, until the time limit is reached."""
        n_done, n_steps = self.log.n_steps, self._schedule.n_steps
        label = self._stage() if self._config.verbose == 1 else None
        with progress_bar(label, total=n_steps, initial=n_done, unit="step") as bar:
            for rows in self._batches.rows(n_done, n_steps):
                if self._is_time_up():
                    break
                bar.set_description(self._stage(), refresh=False)
                self._show(bar, self._step(rows))
                self._save_if_due()

    def _step(self, rows: list[int]) -> float:
        """Make one optimizer step; return the mean loss of the batch."""
        step = self._prepare(rows)
        loss, norm = self._stepper.accumulate(step, self._make_smaller)
        # These weights have a finite loss and gradient; the updated ones may not.
        self._kept.keep(self.log.n_steps)
        self._is_whole = False
        self._stepper.update(norm)
        self._last_rows = rows
        self._loss_sum, self._n_losses = self._loss_sum + loss, self._n_losses + 1
        self.log.n_tokens += self._batches.count_tokens(rows)
        if self.log.n_steps % self._batches.per_epoch == 0:
            self._end_epoch()
        self._is_whole = True
        return loss

    def _prepare(self, rows: list[int]) -> Step[MaskedPart]:
        """Return the batch of the current step in parts that fit into memory."""
        step = self.log.n_steps
        self._model.trainable.dropout.restart(self._batches.dropout_seed(step))
        return self._batches.make(rows, step, self.log.part_tokens)

    def _make_smaller(self, step: Step[MaskedPart], cause: str) -> Step[MaskedPart]:
        longest = step.parts[0][0].batch.lengths[0]
        if self.log.part_tokens <= longest:
            raise device_memory_error(
                f"Training on a single sequence of {longest} tokens",
                self._device,
                cause,
                "Lower max_length, choose a smaller model",
            )
        held = min(self.log.part_tokens, self._batches.count_tokens(step.rows))
        self.log.part_tokens = max(held // 2, longest)
        self.log.n_memory_errors += 1
        return self._prepare(step.rows)

    # The ranks have clocks of their own, and read them at different times.

    def _is_time_up(self) -> bool:
        if self._config.max_time is None:
            return False
        return self._ranks.from_first(self._schedule.is_time_up)

    def _factor(self, step: int) -> float:
        if self._config.max_time is None:
            return self._schedule.factor(step)
        return self._ranks.from_first(lambda: self._schedule.factor(step))

    def _end_epoch(self) -> None:
        release_memory(self._device)
        loss, seconds = self._loss_sum / self._n_losses, self._schedule.seconds()
        if self._config.verbose > 1:
            print(f"{self._stage()}: loss {loss:.4f}, {seconds:.0f} s")
        self.log.loss_curve.append(loss)
        self.log.end_epoch(seconds)
        self._loss_sum, self._n_losses = 0.0, 0

    def _stage(self) -> str:
        return self._config.stage(len(self.log.loss_curve) + 1)

    def _show(self, bar: tqdm, loss: float) -> None:
        if not bar.disable:
            bar.total = self._schedule.expected_steps(self.log.n_steps)
        bar.update()
        bar.set_postfix(loss=f"{loss:.4f}", refresh=False)

    def _finish(self) -> None:
        """Check the final weights, and save them if they are not saved yet."""
        if not self._is_whole:
            # Ctrl-C interrupted an update. The file remains that of an earlier step.
            self._kept.restore()
            return
        self._check_weights()
        if self._file is not None and self._saved_step != self.log.n_steps:
            self._save(self._file)

    @torch.no_grad()
    def _check_weights(self) -> None:
        """Raise an error if the current weights give a loss that is NaN or infinite.

        The loss would show this only in the next step.
        """
        if self._checked_step == self.log.n_steps:
            return
        is_finite = retry_smaller(
            self._has_finite_losses,
            self._prepare(self._last_rows[:_N_CHECKED]),
            self._make_smaller,
            device=self._device,
        )
        if not self._ranks.all(is_finite):
            raise self._stepper.divergence("loss", is_after=True)
        self._checked_step = self.log.n_steps

    def _has_finite_losses(self, step: Step[MaskedPart]) -> bool:
        parts = chain.from_iterable(step.parts)
        return all(math.isfinite(self._model.sum_losses(part)) for part in parts)

    # --- the file ------------------------------------------------------------------

    def _save_if_due(self) -> None:
        if self._file is not None and self._ranks.from_first(self._is_save_due):
            self._check_weights()
            self._save(self._file)

    def _is_save_due(self) -> bool:
        return time.monotonic() - self._saved_at >= self._config.save_interval

    def _save(self, file: TrainingFile) -> None:
        self._ranks.from_first(lambda: file.save(self._state()))
        self._saved_step, self._saved_at = self.log.n_steps, time.monotonic()

    def _state(self) -> SavedTraining:
        trained = self._optimizer.trained
        weights = {f"weight:{one.name}": one.tensor for one in trained}
        return SavedTraining(
            clone_tensors({**weights, **self._optimizer.moments()}),
            {
                **{name: getattr(self.log, name) for name in _LOGGED},
                "seconds": self._schedule.seconds(),
                "loss_sum": self._loss_sum,
                "n_losses": self._n_losses,
                "seed": self._config.seed,
            },
        )

    @torch.no_grad()
    def _resume(self, saved: SavedTraining) -> None:
        """Restore the saved state."""
        progress: dict[str, Any] = saved.progress
        for one in self._optimizer.trained:
            one.tensor.copy_(saved.tensors[f"weight:{one.name}"])
        self._optimizer.load_moments(saved.tensors)
        for name in _LOGGED:
            # Files of earlier versions have no times.
            setattr(self.log, name, progress.get(name, getattr(self.log, name)))
        self._loss_sum = progress["loss_sum"]
        self._n_losses = progress["n_losses"]
        self._schedule.seconds_before = progress["seconds"]
        self._kept.keep(self.log.n_steps)
