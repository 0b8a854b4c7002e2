"""Masked language models that were fitted, ready to predict hidden tokens."""

import os
from dataclasses import dataclass

import torch

from sklearn_bert._engine.encoding.encoder import Encoder, choose_path
from sklearn_bert._engine.encoding.fitted_encoders import RunningModels
from sklearn_bert._engine.masked_lm.model import (
    MaskedHead,
    PackedMaskedModel,
    unpack_masked_model,
)


@dataclass(frozen=True)
class RunningMaskedModel:
    """An encoder and the head that predicts its hidden tokens."""

    encoder: Encoder
    head: MaskedHead


def _make_masked_model(
    packed: PackedMaskedModel, device: torch.device, dtype: torch.dtype
) -> RunningMaskedModel:
    model = unpack_masked_model(packed)
    checkpoint = model.checkpoint
    path = choose_path(checkpoint, device, dtype)
    encoder = Encoder(
        path, checkpoint.tokenizer, checkpoint.architecture, device, dtype
    )
    return RunningMaskedModel(encoder, model.head.to(device, dtype))


RUNNING_MASKED = RunningModels(_make_masked_model)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RUNNING_MASKED.renew_lock)
