"""Model folders of masked language models."""

from pathlib import Path
from typing import Any

import numpy as np

from sklearn_bert._engine.export.contents import Exported
from sklearn_bert._engine.export.declarations import write_declarations
from sklearn_bert._engine.export.transformers_files import (
    write_model,
    write_tokenizer,
)
from sklearn_bert._engine.masked_lm.model import PackedMaskedModel, unpack_masked_model


def write_masked_model(packed: PackedMaskedModel, folder: Path) -> Exported:
    """Write a masked language model, its tokenizer and the declared modules.

    Parameters
    ----------
    packed : PackedMaskedModel
    folder : pathlib.Path
        An empty folder.

    Returns
    -------
    Exported
    """
    model = unpack_masked_model(packed)
    whole: Any = model.head.whole
    setattr(whole, whole.base_model_prefix, model.checkpoint.model)
    architecture = packed.encoder.architecture
    with_all_layers = architecture.layer_weights is not None
    write_model(whole, folder, with_all_layers=with_all_layers)
    write_tokenizer(
        model.checkpoint.tokenizer, folder, architecture.max_length, reads_masks=True
    )
    weights: dict[str, np.ndarray] = packed.encoder.module_weights or {}
    is_declared = write_declarations(architecture, weights, folder)
    return Exported(
        "fill-mask", "AutoModelForMaskedLM", has_sentence_transformer=is_declared
    )
