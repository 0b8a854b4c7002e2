"""The encoder that a fit trains: a copy of the one that it starts from."""

from typing import Any

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.runtime.device import (
    name_of,
    resolve_device,
    resolve_training_dtypes,
)
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard
from sklearn_bert._engine.training.model.backbone import copy_weights, find_backbone
from sklearn_bert._engine.training.model.frozen_part import compute_frozen_once
from sklearn_bert._engine.training.model.trainable import (
    TrainableEncoder,
    make_trainable,
)
from sklearn_bert._fine_tuning.adapter import plan_adapter
from sklearn_bert._fine_tuning.context import FitContext
from sklearn_bert._fine_tuning.start import count_frozen


def copy_to_train(
    estimator: Any, resolved: ResolvedEncoder, seed: int, fit: FitContext
) -> tuple[Checkpoint, TrainableEncoder]:
    """Return a copy of the checkpoint, and its encoder ready to be trained.

    Parameters
    ----------
    estimator : BaseFineTuner
        The copy of a fit. It gets the attributes ``device_`` and ``dtype_``.
    resolved : ResolvedEncoder
    seed : int
        Of dropout.
    fit : FitContext

    Returns
    -------
    checkpoint : Checkpoint
    trainable : TrainableEncoder
    """
    device = resolve_device(estimator.device)
    dtype, autocast_dtype = resolve_training_dtypes(estimator.dtype, device)
    estimator.device_ = str(device)
    # It is kept as long as the estimator, which is a copy that the fit ends with.
    backbone = find_backbone(resolved.source, estimator)
    checkpoint, adapter = backbone.checkpoint, None
    n_frozen = count_frozen(estimator.freeze, checkpoint, estimator._model_name())
    n_shared = n_frozen
    if estimator.adapter is not None:
        n_shared = checkpoint.architecture.n_layers + 1
    with OutOfMemoryGuard("The model", device):
        checkpoint = copy_weights(checkpoint, n_shared)
        if estimator.adapter is not None:
            adapter = plan_adapter(
                estimator,
                checkpoint,
                backbone.backend_class,
                n_frozen,
                continues=fit.continues,
            )
        trainable = make_trainable(
            checkpoint,
            device,
            dtype,
            autocast_dtype=autocast_dtype,
            n_frozen=n_frozen,
            dropout=estimator.dropout,
            seed=seed,
            n_modules=resolved.readout.n_modules,
            recomputes=estimator.gradient_checkpointing,
            adapter=adapter,
            backend_class=backbone.backend_class,
        )
    estimator.dtype_ = name_of(trainable.encoder.dtype_of_products)
    return checkpoint, compute_frozen_once(
        trainable, checkpoint, resolved.source, resolved.readout, n_frozen - 1
    )
