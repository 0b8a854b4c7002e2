"""The template of pre-training: how a fit goes. The loop itself is in the engine."""

import copy
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import _check_feature_names

from sklearn_bert._base import unwrap_frozen
from sklearn_bert._engine.checkpoints.record import record_of
from sklearn_bert._engine.checkpoints.source import (
    Source,
    architecture_of,
    digests_of,
    tokenizer_of,
)
from sklearn_bert._engine.encoding.resolve import resolve_max_length
from sklearn_bert._engine.masked_lm.config import PretrainingConfig, PretrainingLog
from sklearn_bert._engine.masked_lm.loop import Pretraining
from sklearn_bert._engine.masked_lm.model import (
    MaskedModel,
    PackedMaskedModel,
    load_masked_model,
    make_masked_model,
    pack_masked_model,
    unpack_masked_model,
)
from sklearn_bert._engine.masked_lm.resume import SavedTraining, TrainingFile
from sklearn_bert._engine.runtime.device import resolve_device, resolve_training_dtypes
from sklearn_bert._engine.runtime.fork_safety import prepare_threads
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard
from sklearn_bert._engine.runtime.progress import name_fit
from sklearn_bert._engine.text.corpus import SpooledTexts, TokenCorpus
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.text.vocabulary import learn_vocabulary
from sklearn_bert._engine.training.model.trainable import (
    TrainableEncoder,
    make_trainable,
)
from sklearn_bert._inputs.streams import check_stream
from sklearn_bert._params.random_state import draw_seed, make_generator
from sklearn_bert._pretraining.predict import NO_WORDS, BasePretrained
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import (
    CheckpointError,
    InputError,
    InterruptedFitWarning,
    MemoryWarning,
)

# For a model of one's own, and for one that has learnt already.
_RATE_FROM_SCRATCH, _RATE_CONTINUED = 5e-4, 1e-4
_LENGTH_FROM_SCRATCH = 128
# What a fit must have in common with another to go on from its file.
_IDENTITY = (
    "n_layers",
    "hidden_size",
    "n_heads",
    "vocab_size",
    "lowercase",
    "max_length",
    "mask_probability",
    "whole_word_masking",
    "n_epochs",
    "max_steps",
    "max_time",
    "batch_tokens",
    "learning_rate",
    "schedule",
    "warmup",
    "weight_decay",
    "dropout",
    "device",
    "dtype",
)


class BasePretrainer(BasePretrained):
    """An encoder that is trained by masked language modelling.

    Subclasses have the parameters of
    :data:`~sklearn_bert._params.pretraining.PRE_TRAINING`.
    """

    # Whoever calls may have gradients switched off, which are the whole of a fit.
    @torch.inference_mode(False)
    @torch.enable_grad()
    def _fit(self, X: Any) -> Any:
        """Pre-train on texts."""
        self._validate_params()
        self._check_sizes()
        # All that a training holds is gone before an error is raised about it.
        fitted, log = self._train(X)
        self._adopt(fitted)
        self._report(log)
        return self

    def _train(self, X: Any) -> tuple[Any, PretrainingLog]:
        """Return a fitted copy, and what came of the training."""
        prepare_threads()
        # The fitted estimator is made apart, and taken over when all has gone well.
        fitted = copy.copy(self)
        fitted._remember_column(X)
        source = None if self.model is None else self._find_source()
        tokenizer, texts = self._start_tokenizer(source, check_stream(X))
        fitted.max_length_ = self._longest(source)
        corpus = self._make_corpus(texts, tokenizer, fitted.max_length_)
        # They may be a file.
        del texts
        file, saved = self._open_file(source, corpus)
        seed = (
            draw_seed(make_generator(self.random_state))
            if saved is None
            else saved.progress["seed"]
        )
        model = self._start_model(source, tokenizer, fitted.max_length_, seed)
        fitted.checkpoint_ = None
        if source is not None:
            fitted.checkpoint_ = record_of(source, self._model_name(), self.revision)
        trainable = fitted._make_trainable(model, seed)
        masker = self._make_masker(tokenizer)
        config = self._training_config(source, fitted.max_length_, seed)
        training = Pretraining(
            trainable, model.head, corpus, masker, config, file, saved
        )
        log = training.run()
        fitted._take_results(log, model)
        return fitted, log

    def _check_sizes(self) -> None:
        if self.model is None and self.hidden_size % self.n_heads:
            raise ValueError(
                "hidden_size must be a multiple of n_heads. Got "
                f"{self.hidden_size} and {self.n_heads}. Set hidden_size="
                f"{(self.hidden_size // self.n_heads + 1) * self.n_heads}."
            )

    def _remember_column(self, X: Any) -> None:
        _check_feature_names(self, X, reset=True)
        self.n_features_in_ = 1

    def _start_tokenizer(
        self, source: Source | None, texts: Iterable[str]
    ) -> tuple[TextTokenizer, Iterable[str]]:
        """Return a tokenizer with a mask token, and texts that can still be read."""
        if source is None:
            if getattr(texts, "is_consumed_by_reading", False):
                texts = SpooledTexts(texts)
            return learn_vocabulary(
                texts, self.vocab_size, lowercase=self.lowercase
            ), texts
        tokenizer = tokenizer_of(source)
        if tokenizer.mask is None:
            raise CheckpointError(
                "model must have a token for hiding. Got "
                f"{self._model_name()!r}, whose vocabulary has neither [MASK] nor "
                "<mask>. Choose another model."
            )
        return tokenizer, texts

    def _longest(self, source: Source | None) -> int:
        if source is None:
            return self.max_length or _LENGTH_FROM_SCRATCH
        architecture = architecture_of(source)
        return resolve_max_length(self.max_length, architecture, self._model_name())

    def _make_corpus(
        self, texts: Iterable[str], tokenizer: TextTokenizer, max_length: int
    ) -> TokenCorpus:
        corpus = TokenCorpus(texts, tokenizer, max_length)
        if not len(corpus):
            raise InputError(NO_WORDS)
        return corpus

    def _open_file(
        self, source: Source | None, corpus: TokenCorpus
    ) -> tuple[TrainingFile | None, SavedTraining | None]:
        """Return where to keep the training, and what is kept there."""
        if self.checkpoint_dir is None:
            return None, None
        is_seeded = isinstance(self.random_state, Integral)
        identity = {
            **{name: getattr(self, name) for name in _IDENTITY},
            "model": self._digests(source),
            "random_state": int(self.random_state) if is_seeded else None,
            "texts": corpus.digest,
        }
        identity = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in identity.items()
        }
        file = TrainingFile(Path(self.checkpoint_dir).expanduser(), identity)
        return file, file.load()

    def _digests(self, source: Source | None) -> dict[str, str] | None:
        """Return what tells the model, its head included, from every other."""
        if source is None:
            return None
        packed = self._packed_model()
        return digests_of(source) if packed is None else {"weights": packed.digest}

    def _packed_model(self) -> PackedMaskedModel | None:
        """Return the encoder and the head of a fitted estimator given as model."""
        return getattr(unwrap_frozen(self.model), "_masked_model", None)

    def _start_model(
        self,
        source: Source | None,
        tokenizer: TextTokenizer,
        max_length: int,
        seed: int,
    ) -> MaskedModel:
        if (packed := self._packed_model()) is not None:
            return unpack_masked_model(packed)
        if source is not None:
            return load_masked_model(source, seed)
        return make_masked_model(
            tokenizer,
            n_layers=self.n_layers,
            hidden_size=self.hidden_size,
            n_heads=self.n_heads,
            max_length=max_length,
            seed=seed,
        )

    def _make_trainable(self, model: MaskedModel, seed: int) -> TrainableEncoder:
        device = resolve_device(self.device)
        dtype, autocast_dtype = resolve_training_dtypes(self.dtype, device)
        self.device_ = str(device)
        with OutOfMemoryGuard("The model", device):
            trainable = make_trainable(
                model.checkpoint,
                device,
                dtype,
                autocast_dtype=autocast_dtype,
                n_frozen=0,
                dropout=self.dropout,
                seed=seed,
                trains_all_tokens=True,
            )
            model.head.to(device, dtype)
        return trainable

    def _training_config(
        self, source: Source | None, max_length: int, seed: int
    ) -> PretrainingConfig:
        rate = self.learning_rate
        if rate == "auto":
            rate = _RATE_FROM_SCRATCH if source is None else _RATE_CONTINUED
        return PretrainingConfig(
            n_epochs=self.n_epochs,
            max_steps=self.max_steps,
            max_time=self.max_time,
            batch_tokens=max(self.batch_tokens, max_length),
            learning_rate=rate,
            weight_decay=self.weight_decay,
            warmup=self.warmup,
            schedule=self.schedule,
            seed=seed,
            save_interval=self.checkpoint_interval,
            verbose=self.verbose,
            label=name_fit(type(self).__name__),
        )

    def _take_results(self, log: PretrainingLog, model: MaskedModel) -> None:
        self._masked_model = pack_masked_model(model)
        self.encoder_ = self._masked_model.encoder
        self.vocabulary_ = model.checkpoint.tokenizer.vocabulary
        self.loss_curve_ = log.loss_curve
        self.n_steps_ = log.n_steps
        self.n_tokens_ = log.n_tokens

    def _report(self, log: PretrainingLog) -> None:
        """Say what went otherwise than asked for."""
        if log.n_memory_errors:
            warn_user(
                f"Batches of batch_tokens={self.batch_tokens} tokens do not fit into "
                f"the memory of device {self.device_!r}: they were trained in parts of "
                f"{log.part_tokens}. The steps are the same, but for rounding and for "
                "dropout, which each part draws anew. Lower max_length for speed.",
                MemoryWarning,
            )
        if log.was_interrupted:
            warn_user(
                f"The fit was interrupted after {log.n_steps} steps. The weights so "
                "far are kept, and the estimator can be used.",
                InterruptedFitWarning,
            )
        log.raise_error()
