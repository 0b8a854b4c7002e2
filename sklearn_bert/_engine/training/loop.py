"""The training loop behind ``fit``.

From the outside in: :meth:`FineTuning.run` goes over the epochs, ``_run_epoch`` over
the batches, ``_step`` makes one step of the optimiser out of one batch, and
``_accumulate`` adds up the gradients of the batch's parts. A batch is one part unless
memory is short.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Any

import torch
from torch import Tensor, nn
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
from sklearn_bert._engine.training.batches import (
    BatchMaker,
    TrainingBatch,
    TrainingData,
)
from sklearn_bert._engine.training.clipping import (
    clip,
    gradients_of,
    read_loss_and_norm,
)
from sklearn_bert._engine.training.config import (
    Callback,
    TrainingConfig,
    TrainingLog,
    TrainingState,
)
from sklearn_bert._engine.training.cuda_graphs import (
    CudaGraphSteps,
    make_cuda_graph_steps,
)
from sklearn_bert._engine.training.divergence import (
    check_learning_rate,
    divergence,
    find_non_finite,
    gives_finite_outputs,
)
from sklearn_bert._engine.training.heads import Loss
from sklearn_bert._engine.training.model.trainable import TrainableEncoder
from sklearn_bert._engine.training.optimizer import (
    RowAdamW,
    TrainedTensor,
    load_moments,
    make_adamw,
    moments_to_arrays,
    scale_rates,
    schedule_factor,
)
from sklearn_bert._engine.training.weight_snapshot import WeightSnapshot
from sklearn_bert.exceptions import DivergenceError

# Tokens of a forward pass in training: 32 texts of 256 tokens take about a gigabyte
# with the default model, 32 documents in windows would take many.
_TOKENS_ON_CPU = 8192
# Texts that show, at the end of an epoch, whether its weights make finite numbers.
_N_CHECKED = 8


@dataclass(frozen=True)
class _Step:
    """What one step of the optimiser works on, on the device.

    Attributes
    ----------
    texts : list of int
    parts : list of TrainingBatch
        The texts in parts that fit into memory.
    token_ids : Tensor of shape (n_rows,), int64
        The token ids that the texts use.
    """

    texts: list[int]
    parts: list[TrainingBatch]
    token_ids: Tensor


class FineTuning:
    """One training of an encoder and its head.

    Parameters
    ----------
    trainable : TrainableEncoder
    head : nn.Linear
    loss : Loss
    data : TrainingData
    config : TrainingConfig
    validate : callable or None
        Returns the score of the weights as they are; higher is better.
    callbacks : sequence of callable
        Called with a TrainingState after each epoch; one that returns True ends the
        training.

    Attributes
    ----------
    log : TrainingLog
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
    ) -> None:
        self._trainable = trainable
        self._device = trainable.encoder.device
        self._head = head
        self._loss = loss
        self._config = config
        self._validate = validate
        self._callbacks = callbacks
        self._batches = BatchMaker(data, config.batch_size, config.seed)
        n_texts = self._batches.n_texts
        steps_per_epoch = -(-n_texts // config.batch_size)
        self._n_steps = config.n_epochs * steps_per_epoch
        self._n_warmup = round(config.warmup * self._n_steps)
        self._data = data
        self._best_score = -inf
        self._recorded: CudaGraphSteps | None = None
        self.log = TrainingLog(part_size=min(config.batch_size, n_texts))
        with OutOfMemoryGuard("The optimiser's state", self._device):
            self._make_optimizers()
            self._kept = self._keep_weights()

    def _make_optimizers(self) -> None:
        config, embedding = self._config, self._trainable.token_embedding
        check_learning_rate(config.learning_rate, self._head.weight.dtype)
        top = self._trainable.encoder.architecture.n_layers + 1
        head = [
            TrainedTensor(name, parameter.requires_grad_(), top)
            for name, parameter in self._head.named_parameters()
        ]
        trained = [*self._trainable.tensors, *head]
        self._tensors = [one.tensor for one in trained]
        self._adamw = make_adamw(
            trained,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            layer_decay=config.layer_decay,
            top=top,
        )
        rate = config.learning_rate * config.layer_decay**top
        self._row_adamw = None
        if embedding is not None:
            self._row_adamw = RowAdamW(embedding, rate, config.weight_decay)

    def run(self) -> TrainingLog:
        """Train, and leave the best weights in the encoder and the head.

        After Ctrl-C these are the best so far, or, where nothing was scored, those of
        the moment; after a divergence the last ones that were found to be finite.
        """
        what = "Training, with a gradient and two moments of each weight,"
        # An autocast of whoever calls would reach the head and the backward pass.
        with OutOfMemoryGuard(what, self._device), multiply_in(self._device):
            self._run_epochs()
        has_best = self._validate is not None and self.log.best_epoch > 0
        if has_best or self.log.error is not None:
            self._kept.restore()
        return self.log

    def _run_epochs(self) -> None:
        start = time.monotonic()
        self._recorded = make_cuda_graph_steps(
            self._trainable,
            self._tensors,
            self._adamw,
            self._forward,
            self.log.part_size,
            self._config.readout,
        )
        label = self._stage(1) if self._config.verbose == 1 else None
        with progress_bar(label, total=self._n_steps, unit="step") as bar:
            try:
                for epoch in range(1, self._config.n_epochs + 1):
                    bar.set_description(self._stage(epoch))
                    self.log.loss_curve.append(self._run_epoch(bar))
                    if self._validate is not None:
                        bar.set_description(f"{self._stage(epoch)}, validation")
                    state = self._end_epoch(epoch, time.monotonic() - start)
                    bar.set_description(self._stage(epoch), refresh=False)
                    if self._should_stop(state):
                        break
            except KeyboardInterrupt:
                self.log.was_interrupted = True
            except DivergenceError as error:
                self.log.error = error
            finally:
                self._release_gradients()
                # It knows this training, so neither would go before the other.
                self._recorded = None

    def _run_epoch(self, bar: tqdm) -> float:
        """Go once over the texts; return their mean loss."""
        total, n_done = 0.0, 0
        for step in self._prefetch(self._batches.epoch()):
            total += self._step(step) * len(step.texts)
            n_done += len(step.texts)
            bar.update()
            bar.set_postfix(self._figures(total / n_done), refresh=False)
        self._check_weights(step.texts)
        return total / n_done

    def _stage(self, epoch: int) -> str:
        """Return what the progress bar shows in front."""
        return f"{self._config.label}, epoch {epoch} of {self._config.n_epochs}"

    def _check_weights(self, texts: list[int]) -> None:
        """Raise an error if the weights of the moment make no finite numbers.

        The losses of the steps would show it only in the step after.
        """
        sequences = self._data.sequences.take(texts[-_N_CHECKED:])
        if not gives_finite_outputs(
            self._trainable, self._head, sequences, self._config.readout
        ):
            raise self._divergence("outputs were not after", self.log.n_steps)

    def _figures(self, loss: float) -> dict[str, str]:
        """Return what the progress bar shows beside the time left."""
        scores = self.log.validation_scores
        return {
            "loss": f"{loss:.4f}",
            **({"score": f"{scores[-1]:.4f}"} if scores else {}),
        }

    def _step(self, step: _Step) -> float:
        """Make one step of the optimiser; return the batch's mean loss."""
        loss, norm = self._accumulate_in_memory(step)
        factor = self._learning_rate_factor(self.log.n_steps)
        if what := find_non_finite(loss, norm):
            raise self._divergence(f"{what} was not at", self.log.n_steps + 1)
        self._update(norm, factor)
        self._release_gradients()
        self.log.n_steps += 1
        return loss

    def _update(self, norm: float, factor: float) -> None:
        """Let the optimisers use the gradients, at a share of the learning rate."""
        scale_rates(self._adamw, factor)
        if self._recorded is not None and self._recorded.has_gradients:
            self._recorded.update(factor)
        else:
            clip(gradients_of(self._tensors_of_step()), norm)
            self._adamw.step()
        if self._row_adamw is not None:
            self._row_adamw.step(factor)

    def _learning_rate_factor(self, step: int) -> float:
        return schedule_factor(
            step, self._n_steps, self._n_warmup, self._config.schedule
        )

    def _accumulate_in_memory(self, step: _Step) -> tuple[float, float]:
        """Call :meth:`_accumulate`, with ever smaller parts if memory is short."""
        if max(part.n_texts for part in step.parts) > self.log.part_size:
            step = self._prepare(step.texts)
        return retry_smaller(
            self._accumulate,
            step,
            self._halve_parts,
            release=self._release_gradients,
            device=self._device,
        )

    def _halve_parts(self, step: _Step, cause: str) -> _Step:
        if self._recorded is not None and self._recorded.holds_memory:
            # Perhaps the batch fits without them.
            self._recorded = None
            return self._prepare(step.texts)
        size = max(part.n_texts for part in step.parts)
        if size == 1:
            raise device_memory_error(
                f"Training on a single text of up to "
                f"{self._batches.longest(step.texts)} tokens",
                self._device,
                cause,
                "Lower max_length, freeze some layers (freeze=...), take a smaller "
                "model",
            )
        self.log.part_size = -(-size // 2)
        self.log.n_memory_errors += 1
        return self._prepare(step.texts)

    def _accumulate(self, step: _Step) -> tuple[float, float]:
        """Add up the gradients of a batch's parts; return loss and gradient norm."""
        if self._recorded is not None:
            figures = self._recorded.accumulate(step.parts, step.token_ids)
            if figures is not None:
                return figures
        if self._trainable.token_embedding is not None:
            self._trainable.token_embedding.take(step.token_ids)
        total = torch.zeros((), dtype=self._head.weight.dtype, device=self._device)
        for part in step.parts:
            loss = self._forward(part) / len(step.texts)
            loss.backward()
            total += loss.detach()
        return read_loss_and_norm(total, gradients_of(self._tensors_of_step()))

    def _forward(self, part: TrainingBatch) -> Tensor:
        """Return the sum of the weighted losses of some texts."""
        readout, encoder = self._config.readout, self._trainable.encoder
        with self._trainable.training():
            layers = (encoder.architecture.n_layers,)
            (states,) = encoder.backend.hidden_states(
                part.batch, layers, only_first=readout.only_first
            )
            rows = readout.read(states, part.batch)
            if part.owners is not None:
                rows = readout.join(rows, part.batch, part.owners, part.n_texts)
            rows = self._trainable.dropout(rows)
        # Few numbers, which should not be rounded to bfloat16.
        outputs = self._head(rows.to(self._head.weight.dtype))
        return (self._loss(outputs, part.targets) * part.weights).sum()

    def _tensors_of_step(self) -> list[Tensor]:
        embedding = self._trainable.token_embedding
        leaf = None if embedding is None else embedding.leaf
        return self._tensors if leaf is None else [*self._tensors, leaf]

    def _release_gradients(self) -> None:
        self._adamw.zero_grad()
        if self._trainable.token_embedding is not None:
            self._trainable.token_embedding.release()

    def _prepare(self, texts: list[int]) -> _Step:
        """Lay a batch out in parts that fit into memory, and move it to the device."""
        is_cpu, token_ids = self._device.type == "cpu", self._batches.token_ids(texts)
        # A GPU says when its memory is full; a system kills the process instead.
        most = _TOKENS_ON_CPU if is_cpu else None
        parts = [
            self._batches.collate(part)
            for part in self._batches.parts(texts, self.log.part_size, most)
        ]
        # Read once: this may run in another thread than what sets it to None.
        recorded = self._recorded
        if recorded is not None:
            parts = [recorded.pad_if_recorded(part) for part in parts]
        return _Step(
            texts,
            [part.to(self._device) for part in parts],
            token_ids if is_cpu else move(token_ids, self._device),
        )

    def _prefetch(self, batches: Iterable[list[int]]) -> Iterator[_Step]:
        """Prepare each batch while a device other than the CPU works on the last."""
        if self._device.type == "cpu":
            return map(self._prepare, batches)
        return prefetch(self._prepare, batches)

    def _divergence(self, what: str, step: int) -> DivergenceError:
        kept = f"weights of the end of epoch {self._kept.number}"
        if self._kept.number == 0:
            kept = "weights that training started from"
        elif self._validate is not None:
            kept = f"best {kept}"
        return divergence(
            "Losses, gradients and outputs",
            what,
            kept=kept,
            step=step,
            n_steps=self._n_steps,
            learning_rate=self._config.learning_rate,
            factor=self._learning_rate_factor(step - 1),
        )

    def _end_epoch(self, epoch: int, seconds: float) -> TrainingState:
        """Score the weights, remember the best ones, and report."""
        log, config = self.log, self._config
        release_memory(self._device)
        score = None
        if self._validate is not None:
            score = self._validate()
            log.validation_scores.append(score)
        # A score of NaN is never the best.
        if score is None or log.best_epoch == 0 or score > self._best_score:
            self._best_score = -inf if score is None or isnan(score) else score
            log.best_epoch = epoch
            self._kept.keep(epoch)
        state = TrainingState(
            epoch=epoch,
            n_epochs=config.n_epochs,
            step=log.n_steps,
            n_steps=self._n_steps,
            loss=log.loss_curve[-1],
            learning_rate=self._adamw.param_groups[-1]["lr"],
            validation_score=score,
            seconds=seconds,
        )
        if config.verbose > 1:
            print(f"{config.label}, {state}")
        return state

    def _should_stop(self, state: TrainingState) -> bool:
        """Ask the callbacks, all of them, and the patience."""
        is_stopped = [bool(callback(state)) for callback in self._callbacks]
        patience = self._config.patience
        is_stale = (
            patience is not None and state.epoch - self.log.best_epoch >= patience
        )
        return any(is_stopped) or is_stale

    def optimizer_state(self) -> dict[str, Any]:
        """Return the optimiser's moments as arrays, for a training that goes on."""
        return {
            "kind": self._kind_of_state(),
            **moments_to_arrays(self._adamw, self._tensors, self._row_adamw),
        }

    def load_optimizer_state(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`optimizer_state` returned, if it fits."""
        if state["kind"] == self._kind_of_state():
            load_moments(state, self._adamw, self._tensors, self._row_adamw)

    def _kind_of_state(self) -> list[tuple[int, ...] | str]:
        """Tell apart trainings that freeze other parts or compute in another format."""
        shapes = [tuple(one.shape) for one in self._tensors]
        return [*shapes, str(self._row_adamw is None), str(self._head.weight.dtype)]

    def _keep_weights(self) -> WeightSnapshot:
        embedding = self._trainable.token_embedding
        if embedding is None:
            return WeightSnapshot(self._tensors)
        rows = self._batches.token_ids(range(self._batches.n_texts)).to(self._device)
        return WeightSnapshot(self._tensors, (embedding.weight, rows))
