"""The checkpoint that an estimator was trained from, through other estimators."""

from typing import Any

from sklearn.frozen import FrozenEstimator

from sklearn_bert._engine.checkpoints.record import CheckpointRecord, record_of
from sklearn_bert._engine.checkpoints.source import digests_of
from sklearn_bert._engine.export.base_model import BaseModel, describe_base
from sklearn_bert._engine.export.contents import EncoderExport
from sklearn_bert._sharing.reading import Export, is_of_vectorizer


def record_of_export(estimator: Any, export: Export) -> CheckpointRecord | None:
    """Return the checkpoint of an export; None if it was trained from nothing."""
    if isinstance(export, EncoderExport) and is_of_vectorizer(export):
        source, name = export.encoder.source, estimator._model_name()
        return record_of(source, name, estimator.revision)
    record: CheckpointRecord | None = estimator.checkpoint_
    return record


def find_base(estimator: Any, export: Export) -> BaseModel | None:
    """Return the checkpoint that training started from.

    Parameters
    ----------
    estimator : object
        A fitted estimator.
    export : Export
        What is exported of it.

    Returns
    -------
    BaseModel or None
        None if training started from random weights, or from another estimator that is
        not known any more.
    """
    record = record_of_export(estimator, export)
    while record is not None and record.source == "estimator":
        owner = estimator.model
        estimator = owner.estimator if isinstance(owner, FrozenEstimator) else owner
        source = getattr(estimator, "encoder_", None)
        # The parameter may have been set, or fitted again, since.
        if source is None or digests_of(source) != record.digests:
            return None
        # Only what was trained has an encoder of its own.
        record = estimator.checkpoint_
    return None if record is None else describe_base(record)
