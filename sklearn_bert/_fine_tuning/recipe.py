"""How a fit trains: the values of the parameters that are "auto"."""

from dataclasses import dataclass
from typing import Any

from sklearn_bert._engine.checkpoints.architecture import Architecture
from sklearn_bert._engine.encoding.readout import PooledReadout
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.training.heads import SoftmaxLoss
from sklearn_bert._fine_tuning.context import FitContext
from sklearn_bert._targets.target import Target

# Fewer steps end before they have taught what few texts can teach; more epochs than
# the most gain nothing.
_FEWEST_STEPS = 100
_FEWEST_EPOCHS, _MOST_EPOCHS = 4, 20
_CONTRASTIVE = 0.5
# With more texts it gains nothing, and it cannot be recorded as a CUDA graph.
_MOST_CONTRASTED = 2000
_HIGHEST_RATE = 2e-4
_FACTOR_OF_ADAPTERS = 10
# Hidden size times number of layers of the default model.
_SIZE_OF_DEFAULT = 384 * 6


@dataclass(frozen=True)
class Recipe:
    """How a fit trains.

    Attributes
    ----------
    n_epochs : int
    learning_rate : float
        The peak of the schedule.
    contrastive : float
        Fraction of the loss that is contrastive.
    """

    n_epochs: int
    learning_rate: float
    contrastive: float


def resolve_recipe(
    estimator: Any, target: Target, resolved: ResolvedEncoder, fit: FitContext
) -> Recipe:
    """Return the parameters of an estimator with numbers in place of "auto".

    Parameters
    ----------
    estimator : estimator with the parameters of fine-tuning
    target : Target
        Of the samples that are trained on.
    resolved : ResolvedEncoder
    fit : FitContext

    Returns
    -------
    Recipe
    """
    n_epochs = 1 if fit.is_partial else estimator.n_epochs
    if n_epochs == "auto":
        n_epochs = resolve_n_epochs(target.n_samples, estimator.batch_size)
    return Recipe(
        int(n_epochs),
        resolve_learning_rate(
            estimator.learning_rate, resolved.architecture, estimator.adapter
        ),
        _resolve_contrastive(estimator, target, resolved, fit),
    )


def resolve_n_epochs(n_samples: int, batch_size: int) -> int:
    """Return the number of epochs that gives enough steps.

    Few epochs of few texts are too few steps, see Mosbach et al., `On the Stability of
    Fine-tuning BERT <https://openreview.net/forum?id=nzpLWnVAyah>`_, ICLR 2021.
    """
    steps_per_epoch = -(-n_samples // batch_size)
    n_epochs = -(-_FEWEST_STEPS // steps_per_epoch)
    return min(max(n_epochs, _FEWEST_EPOCHS), _MOST_EPOCHS)


def resolve_learning_rate(
    learning_rate: Any, architecture: Architecture, adapter: str | None
) -> float:
    """Return the peak learning rate.

    That of the default model was measured. "auto" also gives the rates that are usual
    for BERT-base, 5e-5, and for BERT-large, 2e-5, or ten times as much for an adapter.
    """
    if learning_rate != "auto":
        return float(learning_rate)
    size = architecture.hidden_size * architecture.n_layers
    rate = _HIGHEST_RATE * min(1.0, _SIZE_OF_DEFAULT / size)
    return rate if adapter is None else _FACTOR_OF_ADAPTERS * rate


def _resolve_contrastive(
    estimator: Any, target: Target, resolved: ResolvedEncoder, fit: FitContext
) -> float:
    """Return the fraction of the loss that is contrastive."""
    # Only classifiers have this parameter.
    asked = getattr(estimator, "contrastive", 0.0)
    has_classes = isinstance(target.loss, SoftmaxLoss) and isinstance(
        resolved.readout, PooledReadout
    )
    if asked == "auto":
        is_few = target.n_samples <= _MOST_CONTRASTED
        n_layers = resolved.architecture.n_layers
        trains_encoder = estimator.freeze not in ("encoder", n_layers)
        uses = has_classes and is_few and trains_encoder and not fit.is_partial
        return _CONTRASTIVE if uses else 0.0
    if asked and not has_classes:
        raise ValueError(
            "contrastive must be 'auto' or 0 for an indicator matrix, whose rows are "
            f"in no class. Got {asked}. Set contrastive='auto'."
        )
    return float(asked)
