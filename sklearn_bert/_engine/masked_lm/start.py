"""Masked language models that continued pre-training starts from."""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch

from sklearn_bert._engine.checkpoints.config_files import read_config
from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.files.content import broken
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.checkpoints.source import Source, load
from sklearn_bert._engine.checkpoints.weights import read_weights
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.masked_lm.model import (
    MaskedModel,
    draw_head,
    join,
    make_whole_model,
    shape_whole_model,
)

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class _ReadModel:
    """What the files of a checkpoint contain. Nothing changes these weights."""

    model: MaskedModel
    has_head: bool

    def copy(self) -> MaskedModel:
        """Return a model with weights of its own."""
        checkpoint = self.model.checkpoint
        # At once, since the encoder and the head share their embeddings.
        encoder, modules, head = deepcopy(
            (checkpoint.model, checkpoint.modules, self.model.head)
        )
        return MaskedModel(replace(checkpoint, model=encoder, modules=modules), head)


def load_masked_model(source: Source, seed: int, user: Any) -> MaskedModel:
    """Load an encoder and its head; a missing head is initialized at random.

    A head of which a part is missing is damaged.

    Parameters
    ----------
    source : Source
    seed : int
        Seed of the weights of a missing head.
    user : object
        What has been read is kept as long as it exists, and a few seconds longer.

    Returns
    -------
    MaskedModel

    Raises
    ------
    CheckpointError
        If the family has no masked language model, or the weights are damaged.
    """
    generator = torch.Generator().manual_seed(seed)
    if not isinstance(source, CheckpointFiles):
        checkpoint = load(source)
        return join(checkpoint, make_whole_model(checkpoint), generator)
    read = _READ_MODELS.get(source, _CPU, torch.float32, user)
    model = read.copy()
    if not read.has_head:
        draw_head(model.head, generator)
    return model


def _read(files: CheckpointFiles, *_: Any) -> _ReadModel:
    checkpoint = load_checkpoint(files)
    whole, missing = _read_whole(files)
    model = join(checkpoint, whole)
    own = dict(model.head.own_parameters())
    lost = sorted(missing & set(own))
    if lost and len(lost) < len(own):
        raise broken(
            files,
            f"lacks {len(lost)} tensors of its masked language modeling head, "
            f"{lost[0]} first",
        )
    for name, parameter in own.items():
        if not torch.isfinite(parameter).all():
            raise broken(files, f"has NaN or infinite values in {name}")
    return _ReadModel(model, has_head=not lost)


_READ_MODELS: EncoderCache[CheckpointFiles, _ReadModel] = EncoderCache(_read)


def _read_whole(files: CheckpointFiles) -> tuple[Any, set[str]]:
    """Return a masked language model, and the names of missing weights."""
    config = read_config(files)
    whole, info = read_weights(type(shape_whole_model(config)), files, config)
    mismatched = sorted(str(key[0]) for key in info["mismatched_keys"])
    if mismatched:
        raise broken(files, f"has a head with wrong shapes, such as {mismatched[0]}")
    return whole, set(info["missing_keys"])
