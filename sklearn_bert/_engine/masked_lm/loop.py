"""The loop that trains a masked language model.

From the outside in: :meth:`Pretraining.run` goes over the steps, ``_step`` makes one
step of the optimiser, ``_accumulate`` adds up the gradients of the parts of its batch.
A step is a function of the weights, the moments and its own number: the order of the
texts, the masks and the dropout are drawn anew for each from the seed and that number.
So a training that was killed goes on as if nothing had happened.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from sklearn_bert._engine.encoding.batch import Batch, collate, move
from sklearn_bert._engine.masked_lm.config import PretrainingConfig, PretrainingLog
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.masked_lm.model import MaskedHead
from sklearn_bert._engine.masked_lm.resume import (
    SavedTraining,
    TrainingFile,
    clone_tensors,
)
from sklearn_bert._engine.runtime.device import multiply_in
from sklearn_bert._engine.runtime.memory import (
    OutOfMemoryGuard,
    device_memory_error,
    release_memory,
    retry_smaller,
)
from sklearn_bert._engine.runtime.progress import progress_bar
from sklearn_bert._engine.text.corpus import TokenCorpus
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.clipping import (
    clip,
    gradients_of,
    read_loss_and_norm,
)
from sklearn_bert._engine.training.divergence import (
    check_learning_rate,
    divergence,
    find_non_finite,
)
from sklearn_bert._engine.training.model.trainable import TrainableEncoder
from sklearn_bert._engine.training.optimizer import (
    TrainedTensor,
    make_adamw,
    scale_rates,
    schedule_factor,
)
from sklearn_bert._engine.training.weight_snapshot import WeightSnapshot
from sklearn_bert.exceptions import DivergenceError

# What a step draws, each from a stream of its own.
_ORDER, _MASKS, _DROPOUT = range(3)
# In how many parts a schedule divides the time, where time ends a training.
_TICKS = 1_000_000
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
# How many sequences tell whether weights still make finite numbers.
_N_CHECKED = 8


@dataclass(frozen=True)
class _Part:
    """Some sequences of a batch on the device, and what to guess in them."""

    batch: Batch
    places: Tensor
    targets: Tensor


class Pretraining:
    """One training of an encoder and the head that guesses its tokens.

    Parameters
    ----------
    trainable : TrainableEncoder
        Which trains all of its words' embeddings.
    head : MaskedHead
    corpus : TokenCorpus
    masker : Masker
    config : PretrainingConfig
    file : TrainingFile or None
        Where to save to.
    saved : SavedTraining or None
        Where to go on from.

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
    ) -> None:
        self._trainable = trainable
        self._device = trainable.encoder.device
        self._head = head
        self._corpus = corpus
        self._masker = masker
        self._config = config
        self._file = file
        self._last_loss = math.nan
        self._steps_per_epoch = corpus.n_batches(config.batch_tokens)
        n_steps = config.n_epochs * self._steps_per_epoch
        self._n_steps = min(n_steps, config.max_steps or n_steps)
        # Of the steps of the present epoch.
        self._loss_sum, self._n_losses = 0.0, 0
        self._seconds_before = 0.0
        self.log = PretrainingLog(part_tokens=2 * config.batch_tokens)
        check_learning_rate(config.learning_rate, trainable.encoder.dtype)
        top = trainable.architecture.n_layers + 1
        self._trained = [
            *trainable.tensors,
            *(
                TrainedTensor(f"head.{name}", parameter.requires_grad_(), top)
                for name, parameter in head.own_parameters()
            ),
        ]
        self._adamw = make_adamw(
            self._trained,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            layer_decay=1.0,
            top=top,
        )
        with OutOfMemoryGuard("The optimiser's state", self._device):
            self._kept = WeightSnapshot([one.tensor for one in self._trained])
            if saved is not None:
                self._resume(saved)
        # The steps after which the weights were last tried out, and last saved.
        self._checked_step = self._saved_step = self.log.n_steps
        # Whether Ctrl-C would come between steps, and not in one.
        self._is_whole = True

    def run(self) -> PretrainingLog:
        """Train.

        After a divergence the weights are the last ones that gave finite numbers.
        """
        self._begun_at = self._saved_at = time.monotonic()
        what = "Training, with a gradient and two moments of each weight,"
        # An autocast of whoever calls would reach the head and the backward pass.
        with OutOfMemoryGuard(what, self._device), multiply_in(self._device):
            self._run_to_the_end()
        if self._n_losses:
            self.log.loss_curve.append(self._loss_sum / self._n_losses)
        return self.log

    def _run_to_the_end(self) -> None:
        """Train, save, and note in the log what ended the training."""
        label = self._stage() if self._config.verbose == 1 else None
        with progress_bar(
            label, total=self._n_steps, initial=self.log.n_steps, unit="step"
        ) as bar:
            try:
                for work in (lambda: self._run_steps(bar), self._finish):
                    try:
                        work()
                    except KeyboardInterrupt:
                        self.log.was_interrupted = True
            except DivergenceError as error:
                self.log.error = error
                self._kept.restore()
            self._adamw.zero_grad()

    def _run_steps(self, bar: tqdm) -> None:
        """Go over the steps that are left and for which there is time."""
        for rows in self._batches(self.log.n_steps):
            if self._is_time_up():
                break
            bar.set_description(self._stage(), refresh=False)
            self._step(rows)
            if not bar.disable:
                bar.total = self._expected_steps()
            bar.update()
            bar.set_postfix(loss=f"{self._last_loss:.4f}", refresh=False)
            self._save_now_and_then()

    def _finish(self) -> None:
        """Try the last weights out, and save what is not saved yet."""
        if not self._is_whole:
            # Ctrl-C came while the weights moved. The file keeps an earlier step.
            self._kept.restore()
            return
        self._check_weights()
        if self._file is not None and self._saved_step != self.log.n_steps:
            self._save(self._file)

    def _batches(self, n_done: int) -> Iterator[np.ndarray]:
        """Yield the rows of each step that is left."""
        step = n_done
        while step < self._n_steps:
            epoch, done = divmod(step, self._steps_per_epoch)
            seed = [self._config.seed, _ORDER, epoch]
            for rows in self._corpus.batches(self._config.batch_tokens, seed)[done:]:
                if step == self._n_steps:
                    return
                yield rows
                step += 1

    def _step(self, rows: np.ndarray) -> None:
        """Make one step of the optimiser."""
        self._trainable.dropout.restart(self._draw(_DROPOUT))
        loss, norm = self._accumulate_in_memory(rows)
        if what := find_non_finite(loss, norm):
            raise self._divergence(f"{what} was not at", self.log.n_steps + 1)
        # These weights have shown that they can be used; those after need not.
        self._kept.keep(self.log.n_steps)
        clip(self._gradients(), norm)
        scale_rates(self._adamw, self._learning_rate_factor(self.log.n_steps))
        self._is_whole = False
        self._adamw.step()
        self._adamw.zero_grad()
        self._last_loss, self._last_rows = loss, rows
        self._loss_sum, self._n_losses = self._loss_sum + loss, self._n_losses + 1
        self.log.n_steps += 1
        self.log.n_tokens += self._corpus.count_tokens(rows)
        if self.log.n_steps % self._steps_per_epoch == 0:
            self._end_epoch()
        self._is_whole = True

    def _stage(self) -> str:
        """Return which epoch is on, for the bar and the printed lines."""
        epoch = len(self.log.loss_curve) + 1
        return f"{self._config.label}, epoch {epoch} of {self._config.n_epochs}"

    def _end_epoch(self) -> None:
        release_memory(self._device)
        loss = self._loss_sum / self._n_losses
        if self._config.verbose > 1:
            print(f"{self._stage()}: loss {loss:.4f}, {self._seconds():.0f} s")
        self.log.loss_curve.append(loss)
        self._loss_sum, self._n_losses = 0.0, 0

    def _draw(self, stream: int) -> int:
        """Return a seed of the present step."""
        key = [self._config.seed, stream, self.log.n_steps]
        return int(np.random.SeedSequence(key).generate_state(1)[0])

    def _learning_rate_factor(self, step: int) -> float:
        """Return the share of the learning rate that a step, from 0, uses."""
        n_steps = self._n_steps
        if self._config.max_time is not None:
            share = min(self._seconds() / self._config.max_time, 1.0)
            if share > step / n_steps:
                step, n_steps = int(share * _TICKS), _TICKS
        n_warmup = round(self._config.warmup * n_steps)
        return schedule_factor(step, n_steps, n_warmup, self._config.schedule)

    # --- one batch -----------------------------------------------------------------

    def _accumulate_in_memory(self, rows: np.ndarray) -> tuple[float, float]:
        """Call :meth:`_accumulate`, with ever smaller parts if memory is short."""
        return retry_smaller(
            self._accumulate,
            self._corpus.take(rows),
            self._halve_parts,
            release=self._adamw.zero_grad,
            device=self._device,
        )

    def _halve_parts(self, sequences: TokenSequences, cause: str) -> TokenSequences:
        longest = len(sequences.ids[0])
        if self.log.part_tokens <= longest:
            raise device_memory_error(
                f"Training on a single sequence of {longest} tokens",
                self._device,
                cause,
                "Lower max_length, take a smaller model",
            )
        held = min(self.log.part_tokens, sum(map(len, sequences.ids)))
        self.log.part_tokens = max(held // 2, longest)
        self.log.n_memory_errors += 1
        self._trainable.dropout.restart(self._draw(_DROPOUT))
        return sequences

    def _accumulate(self, sequences: TokenSequences) -> tuple[float, float]:
        """Add up the gradients of a batch's parts; return loss and gradient norm."""
        parts, n_targets = self._make_parts(sequences)
        total = torch.zeros((), device=self._device)
        for part in parts:
            loss = self._forward(part) / max(n_targets, 1)
            loss.backward()
            total += loss.detach()
        return read_loss_and_norm(total, self._gradients())

    def _make_parts(self, sequences: TokenSequences) -> tuple[list[_Part], int]:
        """Hide tokens of a batch, and lay it out in parts that fit into memory."""
        generator = np.random.default_rng(self._draw(_MASKS))
        together = np.concatenate([np.array(ids) for ids in sequences.ids])
        masked = self._masker(together, generator)
        parts, start = [], 0
        for rows in _cut([len(ids) for ids in sequences.ids], self.log.part_tokens):
            batch = collate(sequences, rows)
            stop = start + len(batch.input_ids)
            first, last = np.searchsorted(masked.places, [start, stop])
            batch.input_ids.copy_(torch.from_numpy(masked.ids[start:stop]))
            places = torch.from_numpy(masked.places[first:last] - start)
            targets = torch.from_numpy(masked.targets[first:last])
            if self._device.type != "cpu":
                places, targets = (move(x, self._device) for x in (places, targets))
            parts.append(_Part(batch.to(self._device), places, targets))
            start = stop
        return parts, len(masked.places)

    def _forward(self, part: _Part) -> Tensor:
        """Return the sum of the losses of the hidden tokens of some sequences."""
        encoder = self._trainable.encoder
        layers = (encoder.architecture.n_layers,)
        with self._trainable.training():
            (states,) = encoder.backend.hidden_states(
                part.batch, layers, only_first=False
            )
            scores = self._head(states.index_select(0, part.places))
        # Many numbers are added up, which should not be rounded to bfloat16.
        wide = torch.promote_types(scores.dtype, torch.float32)
        return F.cross_entropy(scores.to(wide), part.targets, reduction="sum")

    @torch.no_grad()
    def _check_weights(self) -> None:
        """Raise an error if the weights of the moment make no finite numbers.

        The losses of the steps would show it only in the step after.
        """
        if self._checked_step == self.log.n_steps:
            return
        sequences = self._corpus.take(self._last_rows[:_N_CHECKED])
        parts, _ = self._make_parts(sequences)
        if not all(math.isfinite(float(self._forward(part))) for part in parts):
            raise self._divergence("loss was not after", self.log.n_steps)
        self._checked_step = self.log.n_steps

    def _gradients(self) -> list[Tensor]:
        return gradients_of(one.tensor for one in self._trained)

    def _divergence(self, what: str, step: int) -> DivergenceError:
        kept = f"weights of the end of step {self._kept.number}"
        if self._kept.number == 0:
            kept = "weights that training started from"
        return divergence(
            "Losses and gradients",
            what,
            kept=kept,
            step=step,
            n_steps=self._n_steps,
            learning_rate=self._config.learning_rate,
            factor=self._learning_rate_factor(step - 1),
        )

    # --- time and the file ---------------------------------------------------------

    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._begun_at

    def _expected_steps(self) -> int:
        """Return the number of steps that there will be, at the pace so far."""
        share = self._seconds() / (self._config.max_time or math.inf)
        if share == 0:
            return self._n_steps
        at_this_pace = max(self.log.n_steps, math.ceil(self.log.n_steps / share))
        return min(self._n_steps, at_this_pace)

    def _is_time_up(self) -> bool:
        return self._seconds() >= (self._config.max_time or math.inf)

    def _save_now_and_then(self) -> None:
        if self._file is None:
            return
        if time.monotonic() - self._saved_at >= self._config.save_interval:
            self._check_weights()
            self._save(self._file)

    def _save(self, file: TrainingFile) -> None:
        file.save(self._state())
        self._saved_step, self._saved_at = self.log.n_steps, time.monotonic()

    def _state(self) -> SavedTraining:
        tensors = {f"weight:{one.name}": one.tensor for one in self._trained}
        for one in self._trained:
            for moment, tensor in self._adamw.state[one.tensor].items():
                tensors[f"{moment}:{one.name}"] = tensor
        return SavedTraining(
            clone_tensors(tensors),
            {
                "n_steps": self.log.n_steps,
                "n_tokens": self.log.n_tokens,
                "seconds": self._seconds(),
                "loss_curve": self.log.loss_curve,
                "loss_sum": self._loss_sum,
                "n_losses": self._n_losses,
                # Each part draws a dropout of its own.
                "part_tokens": self.log.part_tokens,
                "n_memory_errors": self.log.n_memory_errors,
                "seed": self._config.seed,
            },
        )

    @torch.no_grad()
    def _resume(self, saved: SavedTraining) -> None:
        """Go on from what was saved."""
        progress: dict[str, Any] = saved.progress
        for one in self._trained:
            one.tensor.copy_(saved.tensors[f"weight:{one.name}"])
            names = {moment: f"{moment}:{one.name}" for moment in _MOMENTS}
            if names["step"] in saved.tensors:
                self._adamw.state[one.tensor] = {
                    moment: saved.tensors[name].to(self._device)
                    for moment, name in names.items()
                }
        self.log.n_steps = progress["n_steps"]
        self.log.n_tokens = progress["n_tokens"]
        self.log.loss_curve = progress["loss_curve"]
        self.log.part_tokens = progress["part_tokens"]
        self.log.n_memory_errors = progress["n_memory_errors"]
        self._loss_sum = progress["loss_sum"]
        self._n_losses = progress["n_losses"]
        self._seconds_before = progress["seconds"]
        self._kept.keep(self.log.n_steps)


def _cut(lengths: list[int], most: int) -> list[list[int]]:
    """Cut rows into runs of at most so many tokens, at least one row each."""
    runs: list[list[int]] = []
    n_tokens = most
    for row, length in enumerate(lengths):
        if n_tokens + length > most:
            runs.append([])
            n_tokens = 0
        runs[-1].append(row)
        n_tokens += length
    return runs
