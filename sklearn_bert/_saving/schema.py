"""What a file may contain: the estimators, their attributes, and the records in them.

The types are checked when an estimator is saved, and again when it is loaded.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_bert._engine.checkpoints.adapter import PackedAdapter, UnmergedEncoder
from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint
from sklearn_bert._engine.checkpoints.record import CheckpointRecord
from sklearn_bert._engine.checkpoints.sentence_transformers.module_configs import (
    DeclaredModule,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.prompts import Prompts
from sklearn_bert._engine.encoding.readout import PooledReadout, WordReadout
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel
from sklearn_bert._engine.text.inputs import TokenizingConfig
from sklearn_bert._engine.text.tokenizer import TextTokenizer

# A file with another number has attributes or values that are written differently.
FORMAT = 1
# Of an array of texts, whose dtype could ask for any memory.
MOST_BYTES = 2**28

RECORDS: dict[str, type[Any]] = {
    record.__name__: record
    for record in (
        Architecture,
        CheckpointRecord,
        DeclaredModule,
        PackedAdapter,
        PackedCheckpoint,
        PackedMaskedModel,
        PooledReadout,
        Prompts,
        TokenizingConfig,
        UnmergedEncoder,
        WordReadout,
    )
}


# Parameters that are neither saved nor loaded, which files of earlier versions may
# contain: a file of somebody else must not choose a folder to write to.
LOCAL = {"cache", "checkpoint_dir"}
# Attributes that not every fitted estimator has.
OPTIONAL: dict[str, Any] = {
    "feature_names_in_": np.ndarray,
    # Files of earlier versions lack them, and not every estimator has all.
    "dtype_": str,
    "epoch_times_": list[float],
    "n_tokens_": int,
    "n_trained_parameters_": int,
    "peak_memory_": int | None,
    "truncated_share_": float,
    "n_samples_seen_": int,
    "n_epochs_": int,
    "contrastive_": float,
    "class_count_": np.ndarray,
    "adapter_": PackedAdapter | None,
    "_sklearn_output_config": dict[str, str | None],
}
_TEXTS = {"pooling_": str, "prompt_": str}
_FITTED = {"n_features_in_": int, "n_truncated_": int, "max_length_": int}
_ENCODED = {**_FITTED, "device_": str, "checkpoint_": CheckpointRecord}
_TUNED = {
    **_ENCODED,
    "encoder_": PackedCheckpoint,
    "coef_": np.ndarray,
    "intercept_": np.ndarray,
    "learning_rate_": float,
    "loss_curve_": list[float],
    "n_iter_": int,
    "validation_scores_": list[float],
    "_tokenizing": TokenizingConfig,
    "_readout": PooledReadout | WordReadout,
    "_optimizer_state": dict[str, list[str] | dict[str, np.ndarray]] | None,
}

# The attributes of each estimator that every fit sets, and their types.
KINDS: dict[str, dict[str, Any]] = {
    "BertVectorizer": {**_ENCODED, **_TEXTS},
    "BertClassifier": {
        **_TUNED,
        **_TEXTS,
        "classes_": np.ndarray,
        "is_multilabel_": bool,
        "_has_sparse_y": bool,
    },
    "BertRegressor": {
        **_TUNED,
        **_TEXTS,
        "n_outputs_": int,
        "target_mean_": np.ndarray,
        "target_scale_": np.ndarray,
        "_y_ndim": int,
        "_is_constant": np.ndarray,
    },
    "BertTargetEncoder": {
        "n_features_in_": int,
        "estimator_": BaseEstimator,
    },
    "BertTokenClassifier": {**_TUNED, "classes_": np.ndarray},
    "BertTokenizer": {
        "n_features_in_": int,
        "n_truncated_": int,
        "max_length_": int | None,
        "checkpoint_": CheckpointRecord | None,
        "_tokenizer": TextTokenizer,
    },
    "BertMaskedLM": {
        "n_features_in_": int,
        "max_length_": int,
        "device_": str,
        "checkpoint_": CheckpointRecord | None,
        "loss_curve_": list[float],
        "n_steps_": int,
        "_masked_model": PackedMaskedModel,
    },
}


def is_local(name: str, value: Any) -> bool:
    """Tell whether a parameter is left out of a file."""
    # A splitter is an object of other code, and no result depends on it after fit.
    return name in LOCAL or (name == "cv" and hasattr(value, "split"))
