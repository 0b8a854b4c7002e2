"""The training loop of fine-tuning.

:meth:`FineTuning.run` handles interruptions and divergence. ``_run_epochs`` iterates
over the epochs, ``_run_epoch`` iterates over the batches, and ``_step`` makes one
optimizer step. The computation of a step is in ``step_runner.py``.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import inf, isnan

import numpy as np
from torch import nn
from tqdm.auto import tqdm

from sklearn_bert._engine.encoding.batch import move
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.runtime.memory import (
    OutOfMemoryGuard,
    device_memory_error,
    release_memory,
    retry_smaller,
)
from sklearn_bert._engine.runtime.prefetch import prefetch
from sklearn_bert._engine.runtime.progress import progress_bar
from sklearn_bert._engine.runtime.ranks import ALONE, Ranks
from sklearn_bert._engine.training.batches import (
    BatchMaker,
    TrainingBatch,
    TrainingData,
)
from sklearn_bert._engine.training.config import (
    Callback,
    TrainingConfig,
    TrainingLog,
    TrainingState,
)
from sklearn_bert._engine.training.heads import Loss
from sklearn_bert._engine.training.model.layer_depth import TrainedTensor
from sklearn_bert._engine.training.model.supervised import SupervisedModel
from sklearn_bert._engine.training.model.trainable import TrainableEncoder
from sklearn_bert._engine.training.optimizer import Optimizer, schedule_factor
from sklearn_bert._engine.training.step_runner import Step
from sklearn_bert._engine.training.stepper import Stepper, make_step_runner
from sklearn_bert._engine.training.weight_snapshot import WeightSnapshot
from sklearn_bert.exceptions import DivergenceError, NonFiniteError

# Limit of the tokens in a forward pass. With the default model, 32 texts of 256 tokens
# need about a gigabyte; 32 documents, each of several windows, would need many.
_TOKENS_ON_CPU = 8192
# Number of texts whose outputs are checked at the end of an epoch.
_N_CHECKED = 8


class FineTuning:
    """A training of an encoder and its head.

    Parameters
    ----------
    trainable : TrainableEncoder
    head : nn.Linear
    loss : Loss
    data : TrainingData
    config : TrainingConfig
    validate : callable or None
        Returns the score of the current weights; higher is better.
    callbacks : sequence of callable
        Called with a TrainingState after each epoch. If one of them returns True, the
        training ends.
    ranks : Ranks
        Each computes the gradients of its share of a batch. Rank 0 validates and calls
        callbacks for all.

    Attributes
    ----------
    log : TrainingLog
    optimizer : Optimizer
        A later training can continue from its state.
    """

    def __init__(
        self,
        trainable: TrainableEncoder,
        head: nn.Linear,
        loss: Loss,
        data: TrainingData,
        config: TrainingConfig,
        *,
        validate: Callable[[], float] | None = None,
        callbacks: Sequence[Callback] = (),
        ranks: Ranks = ALONE,
    ) -> None:
        self._model = SupervisedModel(
            trainable, head, loss, config.readout, config.contrastive
        )
        self._device = device = trainable.encoder.device
        self._data = data
        self._config = config
        self._validate = validate
        self._callbacks = callbacks
        self._ranks = ranks
        self._batches = BatchMaker(
            data, config.batch_size, config.seed, trainable.encoder.collate
        )
        self._best_score = -inf
        n_texts = self._batches.n_texts
        self._n_steps = config.n_epochs * -(-n_texts // config.batch_size)
        self.log = TrainingLog(part_size=min(config.batch_size, n_texts))
        # An autocast context of the caller must not affect these computations.
        with OutOfMemoryGuard("The optimizer's state", device), multiply_in(device):
            self.optimizer = self._make_optimizer()
            ranks.check_same(self._describe())
            ranks.copy_first(self.optimizer.weights())
            self._kept = self._make_snapshot()
            self._runner = make_step_runner(
                self._model, self.optimizer, self.log.part_size, ranks
            )
        self._stepper: Stepper[TrainingBatch] = Stepper(
            self._runner,
            self.optimizer,
            self._kept,
            self.log,
            n_steps=self._n_steps,
            learning_rate=config.learning_rate,
            schedule=partial(
                schedule_factor,
                n_steps=self._n_steps,
                n_warmup=round(config.warmup * self._n_steps),
                schedule=config.schedule,
            ),
            dtype=trainable.encoder.dtype_of_products,
        )

    def run(self) -> TrainingLog:
        """Train, and leave the best weights in the encoder and the head.

        After Ctrl-C, these are the best weights so far or, without early stopping, the
        current ones. After a divergence, they are those of the last snapshot.
        """
        what = "Training, with a gradient and two moments of each weight,"
        # An autocast context of the caller must not affect the head or the gradients.
        with OutOfMemoryGuard(what, self._device), multiply_in(self._device):
            try:
                self._run_epochs()
            except KeyboardInterrupt:
                # Other ranks may be at another step, and have other weights.
                if not self._ranks.is_alone:
                    raise
                self.log.was_interrupted = True
            except DivergenceError as error:
                self.log.error = error
            finally:
                self.optimizer.release()
                self._runner.free_memory()
        has_best = self._validate is not None and self.log.best_epoch > 0
        if has_best or self.log.error is not None:
            self._kept.restore()
        return self.log

    def _run_epochs(self) -> None:
        start = time.monotonic()
        label = self._config.stage(1) if self._config.verbose == 1 else None
        with progress_bar(label, total=self._n_steps, unit="step") as bar:
            for epoch in range(1, self._config.n_epochs + 1):
                bar.set_description(stage := self._config.stage(epoch))
                self._run_epoch(bar)
                score = self._score(bar, stage)
                self._keep_if_best(epoch, score)
                seconds = time.monotonic() - start
                self.log.end_epoch(seconds)
                state = self._report(epoch, score, seconds)
                if reason := self._reason_to_stop(state):
                    self._say_stopped(bar, state, reason)
                    break

    def _run_epoch(self, bar: tqdm) -> None:
        """Train on all texts once, and log their mean loss."""
        total, n_done = 0.0, 0
        for step in self._prefetch(self._batches.epoch()):
            total += self._step(step) * step.n_losses
            n_done += step.n_losses
            bar.update()
            bar.set_postfix(self._postfix(total / n_done), refresh=False)
        self._check_outputs(step.rows[-_N_CHECKED:])
        self.log.loss_curve.append(total / n_done)

    def _step(self, step: Step[TrainingBatch]) -> float:
        """Make one optimizer step; return the mean loss of the batch."""
        if _largest_part(step) > self.log.part_size:
            # It was prepared before memory ran out and the part size was halved.
            step = self._prepare(step.rows)
        loss, norm = self._stepper.accumulate(step, self._make_smaller)
        self._stepper.update(norm)
        return loss

    def _make_smaller(
        self, step: Step[TrainingBatch], cause: str
    ) -> Step[TrainingBatch]:
        if self._runner.free_memory():
            # The batch may fit now.
            return self._prepare(step.rows)
        size = _largest_part(step)
        if size == 1:
            raise device_memory_error(
                f"Training on a single text of up to "
                f"{self._batches.longest(step.rows)} tokens",
                self._device,
                cause,
                "Lower max_length, freeze some layers (freeze=...), choose a smaller "
                "model",
            )
        self.log.part_size = -(-size // 2)
        self.log.n_memory_errors += 1
        return self._prepare(step.rows)

    def _prepare(self, texts: list[int]) -> Step[TrainingBatch]:
        """Collate a batch in parts that fit into memory, and move it to the device."""
        # A GPU out of memory raises an error; an operating system kills the process.
        most = _TOKENS_ON_CPU if self._device.type == "cpu" else None
        # The contrastive loss compares all texts of a batch with each other.
        is_divided = not self._config.contrastive
        own, weight = self._ranks.share(texts, is_divided=is_divided)
        parts = self._batches.parts(own, self.log.part_size, most)
        collated = [self._collate(part) for part in parts]
        token_ids = None
        if self._model.trainable.token_embedding is not None:
            token_ids = move(self._batches.token_ids(texts), self._device)
        moved = [[share.to(self._device) for share in part] for part in collated]
        return Step(texts, moved, len(texts), token_ids, weight)

    def _collate(self, texts: list[int]) -> list[TrainingBatch]:
        """Collate a part: as shares for the streams of a CPU, or as one share."""
        shares = [texts]
        if self._device.type == "cpu" and not self._config.contrastive:
            shares = self._batches.shares(texts)
        return [self._runner.pad(self._batches.collate(share)) for share in shares]

    def _prefetch(self, batches: Iterable[list[int]]) -> Iterator[Step[TrainingBatch]]:
        """Prepare each batch while the GPU computes the previous one."""
        if self._device.type == "cpu":
            return map(self._prepare, batches)
        return prefetch(self._prepare, batches)

    def _check_outputs(self, texts: list[int]) -> None:
        """Raise an error if the current weights give NaN or infinite outputs.

        The loss would show this only in the next step.
        """
        is_finite = retry_smaller(
            lambda some: self._model.has_finite_outputs(
                self._data.sequences.take(some)
            ),
            texts,
            self._check_fewer,
            device=self._device,
            release=self._runner.free_memory,
        )
        if not self._ranks.all(is_finite):
            raise self._stepper.divergence("outputs", is_after=True)

    def _check_fewer(self, texts: list[int], cause: str) -> list[int]:
        if len(texts) == 1:
            raise device_memory_error(
                "A check of the outputs of a single text",
                self._device,
                cause,
                "Lower max_length, choose a smaller model",
            )
        return texts[len(texts) // 2 :]

    def _score(self, bar: tqdm, stage: str) -> float | None:
        """Return the validation score, or None without early stopping."""
        release_memory(self._device)
        if self._validate is None:
            return None
        bar.set_description(f"{stage}, validation")
        score = self._ranks.from_first(partial(_score_if_finite, self._validate))
        if score is None:
            outputs = "outputs for the validation split"
            raise self._stepper.divergence(outputs, is_after=True)
        self.log.validation_scores.append(score)
        bar.set_description(stage, refresh=False)
        return score

    def _keep_if_best(self, epoch: int, score: float | None) -> None:
        # A score of NaN is never the best.
        if score is None or self.log.best_epoch == 0 or score > self._best_score:
            self._best_score = -inf if score is None or isnan(score) else score
            self.log.best_epoch = epoch
            self._kept.keep(epoch)

    def _report(self, epoch: int, score: float | None, seconds: float) -> TrainingState:
        state = TrainingState(
            epoch=epoch,
            n_epochs=self._config.n_epochs,
            step=self.log.n_steps,
            n_steps=self._n_steps,
            loss=self.log.loss_curve[-1],
            learning_rate=self.optimizer.learning_rate,
            validation_score=score,
            seconds=seconds,
        )
        if self._config.verbose > 1:
            print(f"{self._config.label}, {state}")
        return state

    def _postfix(self, loss: float) -> dict[str, str]:
        """Return the loss and the last validation score for the progress bar."""
        scores = self.log.validation_scores
        return {
            "loss": f"{loss:.4f}",
            **({"score": f"{scores[-1]:.4f}"} if scores else {}),
        }

    def _reason_to_stop(self, state: TrainingState) -> str | None:
        """Call all callbacks, and check whether the patience is exhausted."""
        if self._ranks.from_first(lambda: self._call_callbacks(state)):
            return "a callback returned True"
        patience, best = self._config.patience, self.log.best_epoch
        if patience is None or state.epoch - best < patience:
            return None
        return f"the validation score was best in epoch {best}, whose weights are kept"

    def _call_callbacks(self, state: TrainingState) -> bool:
        is_stopped = [bool(callback(state)) for callback in self._callbacks]
        return any(is_stopped)

    def _say_stopped(self, bar: tqdm, state: TrainingState, reason: str) -> None:
        """Print that training ended before its last epoch, unless it is silent."""
        if not self._config.verbose or state.epoch == state.n_epochs:
            return
        # An incomplete bar would look like that of a fit that failed.
        bar.total = bar.n
        stage = f"epoch {state.epoch} of {state.n_epochs}"
        bar.write(f"{self._config.label}, stopped early after {stage}: {reason}")

    def _make_optimizer(self) -> Optimizer:
        model, config = self._model, self._config
        top = model.trainable.architecture.n_layers + 1
        head = [
            TrainedTensor(f"head.{name}", parameter.requires_grad_(), top)
            for name, parameter in model.head.named_parameters()
        ]
        return Optimizer(
            [*model.trainable.tensors, *head],
            model.trainable.token_embedding,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            layer_decay=config.layer_decay,
        )

    def _describe(self) -> Iterator[bytes]:
        """Yield what must be the same in all ranks."""
        config = replace(self._config, verbose=0, label="")
        yield repr((config, self._model.loss, self.optimizer.kind_of_state())).encode()
        for ids in self._data.sequences.ids:
            yield np.array([len(ids), *ids]).tobytes()
        for tensor in (self._data.targets, self._data.weights):
            yield tensor.numpy().tobytes()

    def _make_snapshot(self) -> WeightSnapshot:
        called = "weights from the end of epoch {}"
        if self._validate is not None:
            called = "best weights (end of epoch {})"
        embedding, table = self._model.trainable.token_embedding, None
        if embedding is not None:
            rows = self._batches.token_ids(range(self._batches.n_texts))
            table = embedding.weight, rows.to(self._device)
        return WeightSnapshot(self.optimizer.tensors, table, called)


def _score_if_finite(validate: Callable[[], float]) -> float | None:
    """Return the score, or None if outputs are NaN or infinite.

    The error numbers the texts of the validation split, not those of X.
    """
    try:
        return validate()
    except NonFiniteError:
        return None


def _largest_part(step: Step[TrainingBatch]) -> int:
    """Return the number of texts of the largest part of a batch."""
    return max(sum(share.n_texts for share in part) for part in step.parts)
