"""The checkpoint that an estimator was trained from, through other estimators."""

from typing import Any

from sklearn.frozen import FrozenEstimator

from sklearn_bert._engine.checkpoints.record import CheckpointRecord, record_of
from sklearn_bert._engine.checkpoints.source import digests_of
from sklearn_bert._engine.export.base_model import BaseModel, describe_base


def record_of_fit(estimator: Any) -> CheckpointRecord | None:
    """Return the checkpoint of a fit; of a vectorizer without fit, that it uses now."""
    if hasattr(estimator, "checkpoint_"):
        return estimator.checkpoint_
    source, name = estimator._find_source(), estimator._model_name()
    return record_of(source, name, estimator.revision)


def find_base(estimator: Any) -> BaseModel | None:
    """Return the checkpoint that training started from.

    Parameters
    ----------
    estimator : object
        A fitted estimator.

    Returns
    -------
    BaseModel or None
        None if training started from random weights, or from another estimator that is
        not known any more.
    """
    record = record_of_fit(estimator)
    while record is not None and record.source == "estimator":
        owner = estimator.model
        estimator = owner.estimator if isinstance(owner, FrozenEstimator) else owner
        source = getattr(estimator, "encoder_", None)
        # The parameter may have been set, or fitted again, since.
        if source is None or digests_of(source) != record.digests:
            return None
        record = record_of_fit(estimator)
    return None if record is None else describe_base(record)
