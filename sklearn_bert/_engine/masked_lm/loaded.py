"""Fitted masked language models, ready to predict masked tokens."""

from dataclasses import dataclass

import torch

from sklearn_bert._engine.encoding.encoder import Encoder, make_encoder
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.masked_lm.model import (
    MaskedHead,
    PackedMaskedModel,
    unpack_masked_model,
)


@dataclass(frozen=True)
class FittedMaskedModel:
    """An encoder and the head that predicts masked tokens."""

    encoder: Encoder
    head: MaskedHead


def _build(
    packed: PackedMaskedModel, device: torch.device, dtype: torch.dtype
) -> FittedMaskedModel:
    model = unpack_masked_model(packed)
    encoder = make_encoder(model.checkpoint, device, dtype)
    return FittedMaskedModel(encoder, model.head.to(device, dtype))


FITTED_MASKED_MODELS = EncoderCache(_build)
