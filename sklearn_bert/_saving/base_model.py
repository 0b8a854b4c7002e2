"""Encoders with an adapter, of which a file has the adapter but not the base model."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from sklearn_bert._engine.checkpoints.adapter import PackedAdapter, UnmergedEncoder
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint, pack
from sklearn_bert._engine.checkpoints.record import (
    check_same_source,
    find_again,
    record_of,
)
from sklearn_bert._engine.checkpoints.sentence_transformers.modules import (
    SentenceModules,
)
from sklearn_bert._engine.checkpoints.source import Source, load
from sklearn_bert.exceptions import (
    CheckpointMismatchError,
    CheckpointNotFoundError,
    SavedFileError,
)

_SHA256 = re.compile("[0-9a-f]{64}")


def without_base(estimator: Any, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return fitted attributes without the weights that the base model has.

    Parameters
    ----------
    estimator : object
    attributes : dict of str to object
        Its own. Those of an estimator without an adapter are returned as they are.

    Raises
    ------
    SavedFileError
        If the base model is not found or has changed, so that nobody could load the
        file.
    """
    if attributes.get("adapter_") is None:
        return attributes
    try:
        find_again(attributes["checkpoint_"], estimator._find_source)
    except ValueError as error:
        raise SavedFileError(
            "The model that an adapter was trained on must be where fit found it, "
            "since the file of an estimator with an adapter does not contain it. Got "
            f"this error: {error} To have all weights in one file, save with joblib."
        ) from error
    encoder = attributes["encoder_"]
    unmerged = UnmergedEncoder(encoder.architecture, encoder.digest)
    return {**attributes, "encoder_": unmerged}


class BaseModels:
    """Finds the base models of the estimators in a file, and adds their adapters.

    Parameters
    ----------
    model : str or None
        The folder or the Hub id of the base model, if it is not where fit found it.

    Attributes
    ----------
    is_used : bool
        Whether ``model`` has been used.
    """

    def __init__(self, model: str | None) -> None:
        self._model = model
        self.is_used = False

    def restore(self, estimator: Any, attributes: dict[str, Any]) -> None:
        """Replace the encoder in attributes from a file by one with weights.

        Parameters
        ----------
        estimator : object
            With the parameters of the file. If the base model is now elsewhere, its
            ``model`` is changed.
        attributes : dict of str to object
            Changed in place.

        Raises
        ------
        CheckpointMismatchError
            If the base model has changed.
        CheckpointNotFoundError
            If it is not found, or cannot be read.
        ValueError
            If the adapter does not fit it.
        """
        record, unmerged = attributes["checkpoint_"], attributes["encoder_"]
        if not _SHA256.fullmatch(unmerged.digest):
            raise ValueError("an encoder without a SHA-256")
        try:
            if self._model is None or record.source == "estimator":
                source = find_again(record, estimator._find_source)
            else:
                source = locate(self._model, None)
                check_same_source(source, replace(record, model=self._model))
                attributes["checkpoint_"] = record_of(source, self._model, None)
                estimator.model, estimator.revision = self._model, None
                self.is_used = True
        except CheckpointMismatchError:
            raise
        except ValueError as error:
            name = record.model if self._model is None else self._model
            raise CheckpointNotFoundError(
                "A file of an estimator with an adapter requires the model that the "
                f"adapter was trained on. Got {name!r}, which cannot be read: {error} "
                "If it is now elsewhere, pass its folder or id as model to load."
            ) from error
        attributes["encoder_"] = _merge(source, attributes["adapter_"], unmerged)


def _merge(
    source: Source, adapter: PackedAdapter, unmerged: UnmergedEncoder
) -> PackedCheckpoint:
    checkpoint = load(source)
    model = checkpoint.model
    adapter.check_fits(model.state_dict())
    # Training may have been in float64.
    (dtype,) = {array.dtype for array in adapter.down.values()}
    like = torch.from_numpy(np.empty(0, dtype))
    architecture = unmerged.architecture
    modules = SentenceModules(checkpoint.modules[: len(architecture.modules)])
    return pack(
        replace(
            checkpoint,
            model=model.to(like.dtype),
            architecture=architecture,
            modules=modules.to(like.dtype),
        ),
        adapter,
    )
