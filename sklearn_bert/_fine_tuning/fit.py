"""The template of the estimators that fine-tune: one ``fit`` for all of them.

A subclass says what its targets mean (:meth:`BaseFineTuner._read_target`) and which
linear model fits frozen features (:meth:`BaseFineTuner._probe`). The rest is here, and
the training itself in the engine.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from sklearn_bert._base import CheckpointRecord, warn_if_truncated
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.packed import pack, unpack
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.encoding.encode import encode_sequences
from sklearn_bert._engine.runtime.device import resolve_device, resolve_training_dtypes
from sklearn_bert._engine.runtime.fork_safety import prepare_threads
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard
from sklearn_bert._engine.runtime.progress import name_fit
from sklearn_bert._engine.text.inputs import Inputs
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.batches import TrainingData
from sklearn_bert._engine.training.config import TrainingConfig, TrainingLog
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert._engine.training.loop import FineTuning
from sklearn_bert._engine.training.model.layer_depth import LayerDepths
from sklearn_bert._engine.training.model.trainable import (
    TrainableEncoder,
    make_trainable,
)
from sklearn_bert._fine_tuning.holdout import hold_out
from sklearn_bert._fine_tuning.predict import BaseFineTuned
from sklearn_bert._fine_tuning.scoring import HoldoutScorer
from sklearn_bert._inputs.texts import check_callbacks
from sklearn_bert._params.random_state import draw_seed, make_generator
from sklearn_bert._targets.checks import check_weights
from sklearn_bert._targets.targets import Target
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import InterruptedFitWarning, MemoryWarning


class BaseFineTuner(BaseFineTuned):
    """A pre-trained encoder with a linear layer on top, trained together.

    Subclasses have the parameters of :data:`~sklearn_bert._params.shared.FINE_TUNING`.
    """

    loss_curve_: list[float]

    def _read_target(
        self, texts: Any, y: Any, weights: np.ndarray, known: Any
    ) -> Target:
        """Check y, set what follows from it, and return what it means.

        ``known`` is what partial_fit knows of all targets that will come, or None.
        """
        raise NotImplementedError

    def _probe(self, features: np.ndarray, target: Target) -> LinearHead:
        """Fit a linear model to the features of the frozen encoder."""
        raise NotImplementedError

    # Whoever calls may have gradients switched off, which are the whole of a fit.
    @torch.inference_mode(False)
    @torch.enable_grad()
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        known: Any = None,
        is_partial: bool = False,
    ) -> Any:
        """Do what fit and partial_fit have in common."""
        self._validate_params()
        check_callbacks(self.callbacks)
        fitted, log = self._train(X, y, sample_weight, known, is_partial)
        self._adopt(fitted)
        # An error keeps the locals of the frames it passes, so the training has ended.
        self._report(log)
        return self

    def _train(
        self, X: Any, y: Any, sample_weight: Any, known: Any, is_partial: bool
    ) -> tuple[Self, TrainingLog]:
        """Return the fitted estimator, made apart, and what its training met."""
        continues = hasattr(self, "encoder_") and (is_partial or self.warm_start)
        texts = self._check_texts(X) if continues else self._read(X)
        weights = check_weights(sample_weight, len(texts))
        fitted = copy.copy(self)
        target = fitted._read_target(texts, y, weights, known)
        seeds = self._draw_seeds(is_partial)
        train, held_out = self._split(target, seeds["split"], is_partial)

        if not continues:
            fitted._remember_columns(X, texts)
        checkpoint = fitted._find_checkpoint(continues, texts.n_columns)
        trainable = fitted._make_trainable(checkpoint, seeds["dropout"])
        sequences = fitted._tokenize(trainable, texts).take(train.tolist())
        train_target = target.take(train)
        label = name_fit(type(self).__name__)
        head = fitted._start_head(
            trainable, sequences, train_target, continues, is_partial, label
        )
        layer = head.to_module(trainable.encoder.device, trainable.encoder.dtype)
        fitted.encoder_ = trainable
        scorer = None
        if held_out is not None:
            scorer = fitted._make_holdout_scorer(
                layer,
                target,
                texts.take(held_out),
                target.y[held_out],
                None if sample_weight is None else weights[held_out],
            )
        training = FineTuning(
            trainable,
            layer,
            target.loss,
            fitted._training_data(trainable, sequences, train_target, is_partial),
            fitted._training_config(seeds["order"], is_partial, label),
            validate=scorer,
            callbacks=() if self.callbacks is None else self.callbacks,
        )
        if continues and is_partial and self._optimizer_state is not None:
            training.optimizer.load_state(self._optimizer_state)
        log = training.run()
        # After a divergence the moments are those of weights that are gone.
        keeps_state = is_partial and log.error is None
        state = training.optimizer.state() if keeps_state else None
        fitted._take_results(log, checkpoint, state, is_partial and continues)
        fitted._set_head(layer, target)
        return fitted, log

    def _draw_seeds(self, is_partial: bool) -> dict[str, int]:
        generator = make_generator(self.random_state)
        # Each call of partial_fit with the same seed draws other numbers.
        n_before = getattr(self, "n_iter_", 0) if is_partial else 0
        names = ("split", "order", "dropout")
        return {name: draw_seed(generator) + n_before for name in names}

    def _split(
        self, target: Target, seed: int, is_partial: bool
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the rows to train on and those to validate with."""
        rows = target.samples()
        if not self.early_stopping or is_partial:
            return rows, None
        strata = None if target.strata is None else target.strata[rows]
        return hold_out(rows, strata, self.validation_fraction, seed)

    def _find_checkpoint(self, continues: bool, n_columns: int) -> Checkpoint:
        """Load what training starts from, and set what follows from it."""
        prepare_threads()
        if continues:
            self._check_same_checkpoint()
            checkpoint = unpack(self.encoder_)
        else:
            source = self._find_source()
            checkpoint = load(source)
            self.checkpoint_: CheckpointRecord = self._note_checkpoint(source)
        self._resolve(checkpoint.architecture, n_columns)
        return checkpoint

    def _check_same_checkpoint(self) -> None:
        asked, record = (self._model_name(), self.revision), self.checkpoint_
        if asked != (record.model, record.revision):
            raise ValueError(
                "model and revision must be those of the fit before, since training "
                f"goes on from its weights: {record.model!r}, {record.revision!r}. Got "
                f"{asked[0]!r}, {asked[1]!r}. Fit with warm_start=False to begin anew."
            )

    def _make_trainable(self, checkpoint: Checkpoint, seed: int) -> TrainableEncoder:
        device = resolve_device(self.device)
        dtype, autocast_dtype = resolve_training_dtypes(self.dtype, device)
        self.device_ = str(device)
        self._check_layers(checkpoint)
        n_frozen = self._n_frozen(checkpoint.architecture.n_layers)
        with OutOfMemoryGuard("The model", device):
            return make_trainable(
                checkpoint,
                device,
                dtype,
                autocast_dtype=autocast_dtype,
                n_frozen=n_frozen,
                dropout=self.dropout,
                seed=seed,
            )

    def _n_frozen(self, n_layers: int) -> int:
        """Return how many depths are frozen: the embeddings are one, a layer is one."""
        if self.freeze is None:
            return 0
        if self.freeze == "embeddings":
            return 1
        if self.freeze == "encoder":
            return n_layers + 1
        if self.freeze > n_layers:
            raise ValueError(
                f"freeze must be at most {n_layers}, the number of layers of model "
                f"{self._model_name()!r}. Got {self.freeze}. Lower it, or set "
                "freeze='encoder'."
            )
        return self.freeze + 1

    def _check_layers(self, checkpoint: Checkpoint) -> None:
        """Refuse to freeze some of the layers that share their weights."""
        n_layers = checkpoint.architecture.n_layers
        if LayerDepths(checkpoint.model, n_layers).has_layers:
            return
        if 1 < self._n_frozen(n_layers) <= n_layers:
            raise ValueError(
                "freeze must be None, 'embeddings' or 'encoder' for model "
                f"{self._model_name()!r}, whose {n_layers} layers share their weights. "
                f"Got {self.freeze}. Set one of these."
            )

    def _start_head(
        self,
        trainable: TrainableEncoder,
        sequences: TokenSequences,
        target: Target,
        continues: bool,
        is_partial: bool,
        label: str,
    ) -> LinearHead:
        """Return the linear layer that training starts from."""
        architecture = trainable.encoder.architecture
        width = architecture.hidden_size * self._readout().n_vectors
        if continues:
            self._check_same_width(width)
            return target.in_units_of_training(LinearHead(self.coef_, self.intercept_))
        if self.init == "probe" and not is_partial:
            config = self._encoding_config(architecture)
            if config.label is not None:
                config = replace(config, label=f"{label}, linear probe")
            features = encode_sequences(trainable.encoder, sequences, config)
            return self._probe(features, target)
        shape = (target.n_outputs, width)
        return LinearHead(np.zeros(shape), np.zeros(target.n_outputs))

    def _check_same_width(self, width: int) -> None:
        if width != self.coef_.shape[1]:
            raise ValueError(
                f"pooling must give {self.coef_.shape[1]} features, as in the fit "
                f"before, from which training goes on. Got {self.pooling!r}, which "
                f"gives {width}. Set pooling as it was then, or begin anew: call fit "
                "with warm_start=False."
            )

    def _make_holdout_scorer(
        self,
        layer: nn.Linear,
        target: Target,
        texts: Inputs,
        y: Any,
        weights: np.ndarray | None,
    ) -> Callable[[], float]:
        """Return a function that scores the weights in training."""
        scored = copy.copy(self)
        scored.verbose = 0
        # The texts come as a plain list, without the names of a frame's columns.
        scored.__dict__.pop("feature_names_in_", None)
        scored._set_head(layer, target)
        scorer = HoldoutScorer(scored, texts, y, weights)
        scorer.check()

        def score() -> float:
            scored._set_head(layer, target)
            return scorer()

        return score

    def _set_head(self, layer: nn.Linear, target: Target) -> None:
        head = target.in_units_of_y(LinearHead.from_module(layer))
        self.coef_, self.intercept_ = head.coef, head.intercept

    def _tokenize(self, trainable: TrainableEncoder, texts: Inputs) -> TokenSequences:
        """Tokenise all texts, those held out too, and speak of those that are cut."""
        config = self._tokenizing_config()
        sequences = texts.tokenize(trainable.encoder.tokenizer, config)
        self.n_truncated_ = sequences.n_truncated
        warn_if_truncated(sequences.n_truncated, len(texts), config)
        return sequences

    def _training_data(
        self,
        trainable: TrainableEncoder,
        sequences: TokenSequences,
        target: Target,
        is_partial: bool,
    ) -> TrainingData:
        dtype = trainable.encoder.dtype
        values = torch.from_numpy(target.values)
        # Of a part of the texts only, the mean means nothing.
        mean = 1.0 if is_partial else target.weights.sum() / target.n_samples
        weights = target.weights / mean
        return TrainingData(
            sequences,
            values if values.dtype == torch.int64 else values.to(dtype),
            torch.from_numpy(weights).to(dtype),
        )

    def _training_config(
        self, seed: int, is_partial: bool, label: str
    ) -> TrainingConfig:
        return TrainingConfig(
            n_epochs=1 if is_partial else self.n_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            layer_decay=self.layer_decay,
            warmup=0.0 if is_partial else self.warmup,
            schedule="constant" if is_partial else self.schedule,
            readout=self._readout(),
            patience=self.n_iter_no_change if self.early_stopping else None,
            seed=seed,
            verbose=self.verbose,
            label=label,
        )

    def _take_results(
        self,
        log: TrainingLog,
        checkpoint: Checkpoint,
        optimizer_state: dict[str, Any] | None,
        continues: bool,
    ) -> None:
        self.encoder_ = pack(checkpoint)
        self._optimizer_state = optimizer_state
        before = self.loss_curve_ if continues else []
        self.loss_curve_ = [*before, *log.loss_curve]
        self.n_iter_ = len(self.loss_curve_)
        self.validation_scores_ = log.validation_scores

    def _report(self, log: TrainingLog) -> None:
        """Say what went otherwise than asked for."""
        if log.n_memory_errors:
            warn_user(
                f"Batches of batch_size={self.batch_size} texts do not fit into the "
                f"memory of device {self.device_!r}: they were trained in parts of "
                f"{log.part_size}. The steps are the same, but for rounding and for "
                "dropout, which each part draws anew. Lower max_length or freeze "
                "layers for speed.",
                MemoryWarning,
            )
        if log.was_interrupted:
            warn_user(
                f"The fit was interrupted after {log.n_steps} steps and "
                f"{len(log.loss_curve)} whole epochs. What was learnt so far is kept, "
                "and the estimator can be used. Fit again with warm_start=True to go "
                "on.",
                InterruptedFitWarning,
            )
        log.raise_error()
