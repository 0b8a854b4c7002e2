"""Pre-training with the parameters of an estimator."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sklearn_bert._engine.checkpoints.source import (
    Source,
    architecture_of,
    digests_of,
    tokenizer_of,
)
from sklearn_bert._engine.encoding.resolve import resolve_max_length
from sklearn_bert._engine.masked_lm.config import PretrainingConfig, PretrainingLog
from sklearn_bert._engine.masked_lm.loop import Pretraining
from sklearn_bert._engine.masked_lm.masking import Masker
from sklearn_bert._engine.masked_lm.model import (
    MaskedModel,
    PackedMaskedModel,
    make_masked_model,
    pack_masked_model,
    unpack_masked_model,
)
from sklearn_bert._engine.masked_lm.resume import TrainingFile
from sklearn_bert._engine.masked_lm.start import load_masked_model
from sklearn_bert._engine.runtime.device import (
    name_of,
    resolve_device,
    resolve_training_dtypes,
)
from sklearn_bert._engine.runtime.fork_safety import prepare_threads
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard, peak_memory
from sklearn_bert._engine.runtime.progress import name_fit
from sklearn_bert._engine.runtime.ranks import find_ranks
from sklearn_bert._engine.text.corpus import SpooledTexts, TokenCorpus
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.text.vocabulary import learn_vocabulary
from sklearn_bert._engine.training.model.trainable import (
    TrainableEncoder,
    make_trainable,
)
from sklearn_bert._params.random_state import draw_seed, make_generator
from sklearn_bert._pretraining.predict import NO_WORDS
from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import (
    CheckpointError,
    InputError,
    InterruptedFitWarning,
    MemoryWarning,
)

_RATE_FROM_SCRATCH, _RATE_CONTINUED = 5e-4, 1e-4
_LENGTH_FROM_SCRATCH = 128
# Parameters that may change when a run is resumed. The exceptions are model, whose
# digests are compared, and random_state, which is compared if it is an integer.
_FREE = {"model", "revision", "checkpoint_dir", "checkpoint_interval", "random_state"}
# The texts are compared as they were read.
_FREE |= {"missing", "verbose"}


@dataclass(frozen=True)
class Pretrained:
    """The results of pre-training.

    Attributes
    ----------
    model : PackedMaskedModel
    max_length : int
    device, dtype : str
    peak_memory : int or None
    log : PretrainingLog
    """

    model: PackedMaskedModel
    max_length: int
    device: str
    dtype: str
    peak_memory: int | None
    log: PretrainingLog


def pretrain(
    estimator: Any,
    source: Source | None,
    packed: PackedMaskedModel | None,
    texts: Iterable[str],
) -> Pretrained:
    """Train with the parameters of an estimator, without changing the estimator.

    Parameters
    ----------
    estimator : BertMaskedLM
        A copy, since users may change theirs while the texts are being read.
    source : Source or None
        The encoder to start from; None creates a new model.
    packed : PackedMaskedModel or None
        The fitted model whose encoder is the source, if there is one.
    texts : iterable of str

    Returns
    -------
    Pretrained
    """
    prepare_threads()
    device = resolve_device(estimator.device)
    ranks = find_ranks(device)
    if not ranks.is_first:
        estimator.verbose = 0
    tokenizer, texts = _start_tokenizer(estimator, source, texts)
    max_length = _resolve_length(estimator, source)
    corpus = TokenCorpus(texts, tokenizer, max_length)
    # The texts may hold an open file, which this releases.
    del texts
    if not len(corpus):
        raise InputError(NO_WORDS)
    identity = _identify(estimator, source, packed, corpus.digest)
    # Each rank may have a device of its own. The file names that of rank 0.
    identity["device"] = ranks.broadcast(identity["device"])
    file, saved = None, None
    if estimator.checkpoint_dir is not None:
        file = TrainingFile(Path(estimator.checkpoint_dir).expanduser(), identity)
        saved = file.load()
    # All ranks must resume from the same file.
    progress = None if saved is None else saved.progress
    ranks.check_same([repr((identity, progress)).encode()])
    seed = ranks.broadcast(
        draw_seed(make_generator(estimator.random_state))
        if saved is None
        else saved.progress["seed"]
    )
    if packed is not None:
        model = unpack_masked_model(packed)
    elif source is not None:
        model = load_masked_model(source, seed, estimator)
    else:
        model = make_masked_model(
            tokenizer,
            # transformers refuses the integers of NumPy.
            n_layers=int(estimator.n_layers),
            hidden_size=int(estimator.hidden_size),
            n_heads=int(estimator.n_heads),
            max_length=max_length,
            seed=seed,
        )
    trainable = _make_trainable(estimator, model, device, seed)
    training = Pretraining(
        trainable,
        model.head,
        corpus,
        Masker(
            tokenizer,
            estimator.mask_probability,
            whole_words=estimator.whole_word_masking,
        ),
        _make_config(estimator, source is None, max_length, seed),
        file,
        saved,
        ranks,
    )
    log = training.run()
    return Pretrained(
        pack_masked_model(model),
        max_length,
        str(device),
        name_of(trainable.encoder.dtype_of_products),
        peak_memory(device),
        log,
    )


def _start_tokenizer(
    estimator: Any, source: Source | None, texts: Iterable[str]
) -> tuple[TextTokenizer, Iterable[str]]:
    """Return a tokenizer with a mask token, and texts that can be read again."""
    if source is None:
        if getattr(texts, "is_consumed_by_reading", False):
            texts = SpooledTexts(texts)
        size, lowercase = estimator.vocab_size, estimator.lowercase
        return learn_vocabulary(texts, size, lowercase=lowercase), texts
    tokenizer = tokenizer_of(source)
    if tokenizer.mask is None:
        raise CheckpointError(
            f"model must have a mask token. Got {estimator._model_name()!r}, whose "
            "vocabulary has neither [MASK] nor <mask>. Choose another model."
        )
    return tokenizer, texts


def _resolve_length(estimator: Any, source: Source | None) -> int:
    if source is None:
        return int(estimator.max_length or _LENGTH_FROM_SCRATCH)
    name = estimator._model_name()
    return resolve_max_length(estimator.max_length, architecture_of(source), name)


def _identify(
    estimator: Any,
    source: Source | None,
    packed: PackedMaskedModel | None,
    texts_digest: str,
) -> dict[str, Any]:
    """Return what must not change when a run is resumed, nor differ between ranks."""
    digests = None if source is None else digests_of(source)
    if packed is not None:
        # This digest includes the head.
        digests = {"weights": packed.digest}
    seed = estimator.random_state
    parameters = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in estimator.get_params(deep=False).items()
        if name not in _FREE
    }
    return {
        **parameters,
        "model": digests,
        "random_state": int(seed) if isinstance(seed, Integral) else None,
        "texts": texts_digest,
    }


def _make_trainable(
    estimator: Any, model: MaskedModel, device: torch.device, seed: int
) -> TrainableEncoder:
    dtype, autocast_dtype = resolve_training_dtypes(estimator.dtype, device)
    with OutOfMemoryGuard("The model", device):
        trainable = make_trainable(
            model.checkpoint,
            device,
            dtype,
            autocast_dtype=autocast_dtype,
            n_frozen=0,
            dropout=estimator.dropout,
            seed=seed,
            trains_all_tokens=True,
        )
        model.head.to(device, dtype)
    return trainable


def resolve_learning_rate(learning_rate: Any, is_new: bool) -> float:
    """Return the peak learning rate of a new model, or of one that is continued."""
    if learning_rate != "auto":
        return float(learning_rate)
    return _RATE_FROM_SCRATCH if is_new else _RATE_CONTINUED


def _make_config(
    estimator: Any, is_new: bool, max_length: int, seed: int
) -> PretrainingConfig:
    return PretrainingConfig(
        n_epochs=estimator.n_epochs,
        max_steps=estimator.max_steps,
        max_time=estimator.max_time,
        batch_tokens=max(estimator.batch_tokens, max_length),
        learning_rate=resolve_learning_rate(estimator.learning_rate, is_new),
        weight_decay=estimator.weight_decay,
        warmup=estimator.warmup,
        schedule=estimator.schedule,
        seed=seed,
        save_interval=estimator.checkpoint_interval,
        verbose=estimator.verbose,
        label=name_fit(type(estimator).__name__),
    )


def report(estimator: Any, log: PretrainingLog) -> None:
    """Issue warnings, and raise the error of a divergence."""
    if log.n_memory_errors:
        warn_user(
            f"Batches of batch_tokens={estimator.batch_tokens} tokens do not fit into "
            f"the memory of device {estimator.device_!r} and were split into parts of "
            f"{log.part_tokens}. The gradient is still that of the whole batch, but "
            "rounding and dropout masks differ. Lower max_length to train faster.",
            MemoryWarning,
        )
    if log.was_interrupted:
        warn_user(
            f"The fit was interrupted after {log.n_steps} steps. The weights are kept, "
            "and the estimator can be used.",
            InterruptedFitWarning,
        )
    log.raise_error()
