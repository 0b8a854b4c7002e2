"""Masked language models that were fitted, ready to predict hidden tokens."""

import os
from dataclasses import dataclass

import torch

from sklearn_bert._engine.encoding.backend_choice import choose_backend
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.fitted_encoders import FittedModels
from sklearn_bert._engine.masked_lm.model import (
    MaskedHead,
    PackedMaskedModel,
    unpack_masked_model,
)


@dataclass(frozen=True)
class FittedMaskedModel:
    """An encoder and the head that predicts its hidden tokens."""

    encoder: Encoder
    head: MaskedHead


def _make_masked_model(
    packed: PackedMaskedModel, device: torch.device, dtype: torch.dtype
) -> FittedMaskedModel:
    model = unpack_masked_model(packed)
    checkpoint = model.checkpoint
    backend = choose_backend(checkpoint, device, dtype)
    encoder = Encoder(
        backend, checkpoint.tokenizer, checkpoint.architecture, device, dtype
    )
    return FittedMaskedModel(encoder, model.head.to(device, dtype))


FITTED_MASKED_MODELS = FittedModels(_make_masked_model)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=FITTED_MASKED_MODELS.renew_lock)
