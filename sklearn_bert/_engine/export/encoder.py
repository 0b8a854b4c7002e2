"""Folders of encoders, with the linear layer on top of the features if there is one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.export.contents import EncoderExport, Exported, LabeledHead
from sklearn_bert._engine.export.declarations import write_declarations
from sklearn_bert._engine.export.features import declare, differences_of, width_of
from sklearn_bert._engine.export.task_models import (
    AUTO_CLASSES,
    describe,
    make_task_model,
)
from sklearn_bert._engine.export.transformers_files import (
    add_pooler,
    write_model,
    write_tokenizer,
)

# The linear layer, if transformers cannot compute its input.
HEAD = "head.safetensors"


def write_encoder(export: EncoderExport, folder: Path) -> Exported:
    """Write an encoder, its tokenizer, the modules that give the features and the head.

    Where a task model of transformers gives the same outputs, it is written. Otherwise
    the encoder alone is, which no task model opens without a warning, and the head is a
    module of sentence-transformers and a file of its own.

    Parameters
    ----------
    export : EncoderExport
    folder : pathlib.Path
        An empty folder.

    Returns
    -------
    Exported
    """
    resolved, head = export.encoder, export.head
    whole = None
    if head is not None:
        whole = make_task_model(export, load(resolved.source))
    checkpoint = resolved.adapted(load(resolved.source))
    architecture, weights = declare(export, checkpoint)
    with_all_layers = architecture.layer_weights is not None
    model = _complete(checkpoint, head) if whole is None else whole
    write_model(model, folder, with_all_layers=with_all_layers)
    write_tokenizer(checkpoint.tokenizer, folder, architecture.max_length)
    scores = None
    if whole is None and head is not None and _has_features(resolved):
        scores = _of_all_features(head, resolved)
    is_declared = write_declarations(architecture, weights, folder, scores)
    differences = differences_of(export)
    if whole is None and head is not None:
        _write_head(head, folder / HEAD)
        if scores is None:
            differences.append(f"the linear layer on the features, which is in {HEAD}")
    return Exported(
        "feature-extraction" if head is None else head.task,
        "AutoModel" if whole is None or head is None else AUTO_CLASSES[head.task],
        has_sentence_transformer=is_declared,
        has_scores=scores is not None,
        head_file=HEAD if whole is None and head is not None else None,
        not_reproduced=tuple(differences),
    )


def _complete(checkpoint: Checkpoint, head: LabeledHead | None) -> Any:
    """Return the whole model of a checkpoint, whose configuration names the outputs."""
    model: Any = checkpoint.model
    if head is not None:
        model.config = describe(checkpoint, head)
    add_pooler(model)
    return model


def _has_features(resolved: ResolvedEncoder) -> bool:
    """Tell whether sentence-transformers computes the input of the head."""
    return resolved.pooling not in (None, "compare")


def _of_all_features(head: LabeledHead, resolved: ResolvedEncoder) -> LabeledHead:
    """Return a head that reads all features, if it reads only the first ones."""
    n_features, n_kept = width_of(resolved), head.coef.shape[1]
    coef = np.pad(head.coef, ((0, 0), (0, n_features - n_kept)))
    return replace(head, coef=coef)


def _write_head(head: LabeledHead, path: Path) -> None:
    from safetensors.numpy import save_file

    weights = {"weight": head.coef, "bias": head.intercept}
    save_file({name: x.astype(np.float32) for name, x in weights.items()}, path)
