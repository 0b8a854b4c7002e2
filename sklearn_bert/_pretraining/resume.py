"""Identification of a training run, so that it can be resumed."""

from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_bert._engine.checkpoints.source import Source, digests_of
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel
from sklearn_bert._engine.masked_lm.resume import SavedTraining, TrainingFile

# The parameters that must be unchanged for a run to be resumed.
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


def open_file(
    estimator: Any,
    source: Source | None,
    packed: PackedMaskedModel | None,
    texts_digest: str,
) -> tuple[TrainingFile | None, SavedTraining | None]:
    """Return the file of a training run, and its content.

    Parameters
    ----------
    estimator : BertMaskedLM
    source : Source or None
        The checkpoint that training starts from; None for a new model.
    packed : PackedMaskedModel or None
        The same, if it is a fitted BertMaskedLM.
    texts_digest : str

    Returns
    -------
    file : TrainingFile or None
        None without a `checkpoint_dir`.
    saved : SavedTraining or None
    """
    if estimator.checkpoint_dir is None:
        return None, None
    digests = None if source is None else digests_of(source)
    if packed is not None:
        # This digest includes the head.
        digests = {"weights": packed.digest}
    seed = estimator.random_state
    identity = {
        **{name: getattr(estimator, name) for name in _IDENTITY},
        "model": digests,
        "random_state": int(seed) if isinstance(seed, Integral) else None,
        "texts": texts_digest,
    }
    identity = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in identity.items()
    }
    file = TrainingFile(Path(estimator.checkpoint_dir).expanduser(), identity)
    return file, file.load()
