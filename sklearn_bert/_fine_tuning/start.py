"""The start of training: frozen layers, the linear layer, and the data."""

from typing import Any

import numpy as np
import torch

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.encode import encode_sequences
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.runtime.finite import check_finite
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.training.batches import TrainingData
from sklearn_bert._engine.training.config import TrainingConfig
from sklearn_bert._engine.training.heads import LinearHead
from sklearn_bert._engine.training.model.layer_depth import LayerDepths
from sklearn_bert._fine_tuning.context import FitContext
from sklearn_bert._fine_tuning.linear_probe import fit_probe
from sklearn_bert._fine_tuning.recipe import Recipe
from sklearn_bert._targets.target import Target


def count_frozen(freeze: Any, checkpoint: Checkpoint, name: str) -> int:
    """Return the number of frozen depths: the embeddings are one, each layer is one.

    Error messages call the model ``name``.
    """
    n_layers = checkpoint.architecture.n_layers
    named = {None: 0, "embeddings": 1, "encoder": n_layers + 1}
    if freeze in named:
        return named[freeze]
    if freeze > n_layers:
        raise ValueError(
            f"freeze must be at most {n_layers}, the number of layers of model "
            f"{name!r}. Got {freeze}. Lower it, or set freeze='encoder'."
        )
    has_layers = LayerDepths(checkpoint.model, n_layers).has_layers
    if 0 < freeze < n_layers and not has_layers:
        raise ValueError(
            f"freeze must be None, 'embeddings' or 'encoder' for model {name!r}, whose "
            f"{n_layers} layers share their weights. Got {freeze}. Set one of these."
        )
    return freeze + 1


def start_head(
    estimator: Any,
    encoder: Encoder,
    resolved: ResolvedEncoder,
    sequences: TokenSequences,
    target: Target,
    owners: np.ndarray,
    fit: FitContext,
) -> LinearHead:
    """Return the linear layer that training starts from.

    It is that of the estimator if training continues, a linear probe of the encoder, or
    zeros. ``target`` is the target of the sequences, and ``owners`` are their samples
    in X, one for each row of features.
    """
    width = resolved.n_features
    if fit.continues:
        head = estimator._head
        if width != head.coef.shape[1]:
            raise ValueError(
                f"pooling must give {head.coef.shape[1]} features, as in the previous "
                "fit, from which training continues. Got "
                f"{estimator.pooling!r}, which gives {width}. Set pooling as it was "
                "then, or call fit with warm_start=False to start over."
            )
        return target.in_units_of_training(head)
    if estimator.init == "probe" and not fit.is_partial:
        label = f"{fit.label}, linear probe" if estimator.verbose == 1 else None
        config = resolved.encoding(label=label)
        features = encode_sequences(encoder, sequences, config)
        check_finite(
            features,
            "Features of texts",
            dtype=encoder.dtype,
            owners=lambda: owners,
        )
        return fit_probe(features, target)
    n_outputs = target.n_outputs
    return LinearHead(np.zeros((n_outputs, width)), np.zeros(n_outputs))


def make_training_data(
    sequences: TokenSequences, target: Target, dtype: torch.dtype, fit: FitContext
) -> TrainingData:
    """Return the training data; ``dtype`` is that of the weights."""
    values = torch.from_numpy(target.values)
    # The mean over a part of the texts is not meaningful.
    mean = 1.0 if fit.is_partial else target.weights.sum() / target.n_samples
    return TrainingData(
        sequences,
        values if values.dtype == torch.int64 else values.to(dtype),
        torch.from_numpy(target.weights / mean).to(dtype),
    )


def make_training_config(
    estimator: Any,
    recipe: Recipe,
    resolved: ResolvedEncoder,
    fit: FitContext,
    seed: int,
) -> TrainingConfig:
    """Return the training parameters; ``seed`` determines the order of the texts."""
    is_partial = fit.is_partial
    return TrainingConfig(
        n_epochs=recipe.n_epochs,
        batch_size=estimator.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=estimator.weight_decay,
        layer_decay=estimator.layer_decay,
        warmup=0.0 if is_partial else estimator.warmup,
        schedule="constant" if is_partial else estimator.schedule,
        readout=resolved.readout,
        contrastive=recipe.contrastive,
        patience=estimator.n_iter_no_change if estimator.early_stopping else None,
        seed=seed,
        verbose=estimator.verbose,
        label=fit.label,
    )
