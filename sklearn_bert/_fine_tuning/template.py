"""The base class of the estimators that fine-tune an encoder.

A subclass interprets its targets (:meth:`BaseFineTuner._check_y` and
:meth:`BaseFineTuner._read_target`) and, if its samples are not texts, its samples
(:meth:`BaseBert._read`). The training loop is in the engine.
"""

from collections.abc import Callable
from math import inf, isnan
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from sklearn_bert._base import BaseBert, warn_if_truncated
from sklearn_bert._engine.checkpoints.adapter import PackedAdapter
from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint, pack
from sklearn_bert._engine.checkpoints.record import (
    CheckpointRecord,
    find_again,
    record_of,
)
from sklearn_bert._engine.checkpoints.source import Source, count_parameters
from sklearn_bert._engine.encoding.encode import EncodingConfig, encode
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.frozen.shared import (
    identity_if_unchanged,
    note_unchanged,
    start_from_kept,
)
from sklearn_bert._engine.encoding.readout import PooledReadout, WordReadout
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder, resolve_encoder
from sklearn_bert._engine.export.contents import EncoderExport, LabeledHead
from sklearn_bert._engine.runtime.device import resolve_device
from sklearn_bert._engine.runtime.gpu_turns import run_fit
from sklearn_bert._engine.runtime.memory import release_memory
from sklearn_bert._engine.runtime.progress import name_fit
from sklearn_bert._engine.runtime.ranks import find_ranks
from sklearn_bert._engine.text.inputs import (
    Inputs,
    TokenizingConfig,
    count_truncated,
)
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.adapter.layers import take_adapter
from sklearn_bert._engine.training.config import TrainingLog
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert._engine.training.loop import FineTuning
from sklearn_bert._fine_tuning.adapter import check_same_adapter
from sklearn_bert._fine_tuning.context import FitContext, draw_seeds
from sklearn_bert._fine_tuning.outcome import note_course, report
from sklearn_bert._fine_tuning.recipe import Recipe, resolve_recipe
from sklearn_bert._fine_tuning.scoring import HoldoutScorer
from sklearn_bert._fine_tuning.start import (
    make_training_config,
    make_training_data,
    start_head,
)
from sklearn_bert._fine_tuning.trainable import copy_to_train
from sklearn_bert._fine_tuning.validation import (
    ValidationSet,
    check_validation_set,
    set_aside,
)
from sklearn_bert._inputs.values import call_hiding_values
from sklearn_bert._params.scoring import check_scorer_name
from sklearn_bert._sharing.onnx import OnnxMixin
from sklearn_bert._summary import SummaryMixin, Weights
from sklearn_bert._targets.checks import check_weights
from sklearn_bert._targets.groups import check_groups
from sklearn_bert._targets.target import Target


class BaseFineTuner(OnnxMixin, SummaryMixin, BaseBert):
    """A pre-trained encoder with a linear layer on top, trained together.

    Subclasses have the parameters of
    :data:`~sklearn_bert._params.fine_tuning.FINE_TUNING`.
    """

    _holds_encoder = True
    # Whether this is one of several estimators of a fit, which Ctrl-C ends as a whole,
    # and which warns about truncated texts itself.
    _is_inner = False
    # The current encoder, in a copy that is scored during a fit.
    _encoder_in_training: Encoder | None = None

    checkpoint_: CheckpointRecord
    # Estimators of earlier versions have none.
    adapter_: PackedAdapter | None = None
    encoder_: PackedCheckpoint
    coef_: np.ndarray
    intercept_: np.ndarray
    loss_curve_: list[float]
    validation_scores_: list[float]
    _tokenizing: TokenizingConfig
    _readout: PooledReadout | WordReadout

    def _check_y(self, inputs: Any, y: Any) -> Any:
        """Return y as an array of what the estimator predicts."""
        raise NotImplementedError

    def _read_target(self, y: Any, weights: np.ndarray, fit: FitContext) -> Target:
        """Set the attributes that depend on a checked y, and return the target."""
        raise NotImplementedError

    def _validate_params(self) -> None:
        super()._validate_params()
        check_scorer_name(self.scoring)

    @property
    def best_validation_score_(self) -> float | None:
        """The highest validation score of `fit`, or None without early stopping."""
        # A score of NaN is never the best.
        return max(
            self.validation_scores_,
            key=lambda score: -inf if isnan(score) else score,
            default=None,
        )

    @property
    def _head(self) -> LinearHead:
        """The linear layer, with a row for each class or target."""
        return LinearHead(self.coef_, self.intercept_)

    # --- prediction -------------------------------------------------------------------

    def _run(self, inputs: Inputs, *, with_head: bool = True) -> np.ndarray:
        """Return the output of the linear layer, or its input: (n_rows, width)."""
        head = self._head if with_head else None
        encoder, is_scored = self._encoder_in_training, True
        if encoder is None:
            fitted, is_scored = self.encoder_, False
            encoder = self._encoder(fitted, fitted, identity_if_unchanged(fitted))
            encoder = start_from_kept(encoder, fitted, self._readout)
        config = EncodingConfig(
            self._readout,
            (encoder.architecture.n_layers,),
            label=f"{type(self).__name__}, encoding" if self.verbose == 1 else None,
        )
        encoded = encode(encoder, inputs, self._tokenizing, config, head)
        # The fit has already warned about the validation split.
        if not is_scored and not self._is_inner:
            warn_if_truncated(encoded.n_truncated, len(inputs), self._tokenizing)
        return encoded.features

    def _score(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        read_y: Callable[[Any, Any, Any], Any],
        metric: Callable[..., float],
    ) -> float:
        """Return a metric of the predictions, with y read as in fit."""
        fitted, inputs = self._begin(X)
        y = read_y(y, inputs, self)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, len(inputs))
        # X may be an iterator, which is read by now. The names of its columns have been
        # checked, and a list has none.
        fitted.__dict__.pop("feature_names_in_", None)
        # A subclass may override predict.
        predicted = fitted.predict(inputs.to_list())
        return call_hiding_values(metric, y, predicted, sample_weight=sample_weight)

    def _describe_outputs(self) -> tuple[str, str, list[Any]]:
        """Return the task, the loss and the labels by the names of transformers."""
        raise NotImplementedError

    def _export(self) -> EncoderExport:
        packed, readout = self.encoder_, self._readout
        encoder = ResolvedEncoder(
            packed,
            packed.architecture,
            self._tokenizing,
            readout.pooling if isinstance(readout, PooledReadout) else None,
            (packed.architecture.n_layers,),
            readout.n_modules,
            readout.n_kept,
            readout.layer_weights,
        )
        task, loss, labels = self._describe_outputs()
        names, head = tuple(map(str, labels)), self._head
        labeled = LabeledHead(task, loss, names, head.coef, head.intercept)
        return EncoderExport(encoder, head=labeled)

    def _count_weights(self) -> Weights:
        encoder, head = self.encoder_, self._head
        n_values = count_parameters(encoder, self._readout.n_modules)
        n_values += head.coef.size + head.intercept.size
        if self.adapter_ is not None:
            n_values += self.adapter_.n_parameters
        n_trained = getattr(self, "n_trained_parameters_", None)
        return Weights(n_values, n_trained, encoder.itemsize)

    # --- fit --------------------------------------------------------------------------

    # The caller may have disabled gradients, which training needs.
    @torch.inference_mode(False)
    @torch.enable_grad()
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        is_partial: bool = False,
        classes: np.ndarray | None = None,
        groups: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Do what fit and partial_fit have in common."""
        self._validate_params()
        check_validation_set(X_val, y_val, early_stopping=self.early_stopping)
        continues = hasattr(self, "encoder_") and (is_partial or self.warm_start)
        label = name_fit(type(self).__name__)
        device = resolve_device(self.device)
        fit = FitContext(
            label,
            is_partial,
            continues,
            classes,
            groups,
            X_val,
            y_val,
            find_ranks(device),
        )
        remedy = "Pass fewer texts, choose a smaller model"
        fitted, log = run_fit(
            lambda: self._train(X, y, sample_weight, fit), device, remedy
        )
        self._adopt(fitted)
        # A traceback keeps local variables alive, so errors are raised after training.
        report(self, log)
        return self

    def _train(
        self, X: Any, y: Any, sample_weight: Any, fit: FitContext
    ) -> tuple[Self, TrainingLog]:
        """Return a fitted copy, and the log of its training."""
        inputs = self._check_texts(X) if fit.continues else self._read(X)
        weights = check_weights(sample_weight, len(inputs))
        groups = check_groups(fit.groups, len(inputs))
        fitted = self._copy()
        if not fit.ranks.is_first:
            fitted.verbose = 0
        target = fitted._read_target(fitted._check_y(inputs, y), weights, fit)
        fitted._count_samples(target, is_added=fit.is_partial and fit.continues)
        n_before = getattr(self, "n_iter_", 0) if fit.is_partial else 0
        seeds = fit.ranks.broadcast(draw_seeds(self.random_state, n_before))
        if not fit.continues:
            fitted._remember_columns(X, inputs.n_columns)
        own_weights = None if sample_weight is None else weights
        train, validation = set_aside(
            fitted, inputs, target, own_weights, groups, seeds.split, fit
        )
        resolved = fitted._resolve(inputs.n_columns, fit)
        recipe = resolve_recipe(fitted, target.take(train), resolved, fit)
        fitted._note(recipe)
        checkpoint, trainable = copy_to_train(
            # The masks of each rank are for other texts.
            fitted,
            resolved,
            seeds.dropout + fit.ranks.rank,
            fit,
        )
        encoder = trainable.encoder
        sequences = fitted._tokenize(encoder, inputs, validation).take(train.tolist())
        train_target = target.take(train)
        owners = train[inputs.take(train).owners()]
        head = start_head(
            fitted, encoder, resolved, sequences, train_target, owners, fit
        )
        layer = head.to_module(encoder.device, encoder.dtype)
        scorer = None
        if validation is not None:
            scorer = fitted._make_scorer(encoder, layer, target, validation)
        training = FineTuning(
            trainable,
            layer,
            target.loss,
            make_training_data(sequences, train_target, encoder.dtype, fit),
            make_training_config(fitted, recipe, resolved, fit, seeds.order),
            validate=scorer,
            callbacks=() if self.callbacks is None else self.callbacks,
            ranks=fit.ranks,
        )
        continues_moments = fit.is_partial and fit.continues
        if continues_moments and self._optimizer_state is not None:
            training.optimizer.load_state(self._optimizer_state)
        log = training.run()
        note_course(
            fitted,
            training,
            sequences.n_tokens,
            before=self if continues_moments else None,
        )
        # After a divergence the moments do not match the restored weights.
        keeps_moments = fit.is_partial and log.error is None
        fitted._optimizer_state = training.optimizer.state() if keeps_moments else None
        # The copy of the weights can then use the memory of the activations.
        release_memory(encoder.device)
        fitted.adapter_ = None
        if trainable.adapter is not None:
            fitted.adapter_ = take_adapter(checkpoint.model, trainable.adapter)
        fitted.encoder_ = pack(resolved.adapted(checkpoint), fitted.adapter_)
        if encoder.frozen is not None:
            note_unchanged(fitted.encoder_, resolved.source, encoder.frozen.depth)
        fitted._set_head(layer, target)
        return fitted, log

    def _count_samples(self, target: Target, *, is_added: bool) -> None:
        """Set the numbers of samples, or add them to those of earlier calls."""
        for name, count in target.count().items():
            if not is_added:
                setattr(self, name, count)
            # An estimator of an earlier version does not know how many it has seen.
            elif hasattr(self, name):
                setattr(self, name, getattr(self, name) + count)

    def _resolve(self, n_columns: int, fit: FitContext) -> ResolvedEncoder:
        """Find the initial encoder, and set the attributes that depend on it."""
        name = self._model_name()
        if fit.continues:
            self._check_same_model(name)
            check_same_adapter(self)
        if not fit.continues:
            source: Source = self._find_source()
            self.checkpoint_ = record_of(source, name, self.revision)
        elif self.adapter is None:
            source = self.encoder_
        else:
            source = find_again(self.checkpoint_, self._find_source)
        resolved = resolve_encoder(
            source,
            name,
            n_columns,
            pooling=self.pooling,
            max_length=self.max_length,
            long_text=self.long_text,
            prompt=self.prompt,
        )
        self._tokenizing, self._readout = resolved.tokenizing, resolved.readout
        self.max_length_ = resolved.tokenizing.max_length
        if resolved.pooling is not None:
            self.pooling_ = resolved.pooling
            self.prompt_ = resolved.tokenizing.prompt
        return resolved

    def _note(self, recipe: Recipe) -> None:
        """Set the attributes with the values of parameters that may be "auto"."""
        self.n_epochs_ = recipe.n_epochs
        self.learning_rate_ = recipe.learning_rate
        if hasattr(self, "contrastive"):
            self.contrastive_ = recipe.contrastive

    def _check_same_model(self, name: str) -> None:
        before = self.checkpoint_
        if (name, self.revision) != (before.model, before.revision):
            raise ValueError(
                "model and revision must be those of the previous fit, since training "
                f"continues from its weights: {before.model!r}, {before.revision!r}. "
                f"Got {name!r}, {self.revision!r}. Fit with warm_start=False to start "
                "over."
            )

    def _tokenize(
        self, encoder: Encoder, inputs: Inputs, validation: ValidationSet | None
    ) -> TokenSequences:
        """Tokenize all samples, and warn about truncation."""
        tokenizer, config = encoder.tokenizer, self._tokenizing
        sequences = inputs.tokenize(tokenizer, config)
        n_truncated, n_texts = len(sequences.truncated), len(inputs)
        if validation is not None and not validation.is_part:
            n_truncated += count_truncated(tokenizer, validation.inputs, config)
            n_texts += len(validation.inputs)
        self.n_truncated_ = n_truncated
        self.truncated_share_ = n_truncated / n_texts
        if not self._is_inner:
            warn_if_truncated(n_truncated, n_texts, config)
        return sequences

    def _make_scorer(
        self,
        encoder: Encoder,
        layer: nn.Linear,
        target: Target,
        validation: ValidationSet,
    ) -> Callable[[], float]:
        """Return a function that scores the weights in training."""
        scored = self._copy()
        scored.verbose = 0
        scored._encoder_in_training = encoder
        # The samples are a plain list, without column names.
        scored.__dict__.pop("feature_names_in_", None)
        scored._set_head(layer, target)
        scorer = HoldoutScorer(scored, validation, target.loss)
        scorer.check()

        def score() -> float:
            scored._set_head(layer, target)
            return scorer()

        return score

    def _set_head(self, layer: nn.Linear, target: Target) -> None:
        head = target.in_units_of_y(LinearHead.from_module(layer))
        self.coef_, self.intercept_ = head.coef, head.intercept
