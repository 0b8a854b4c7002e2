"""Folders with an ONNX file and its tokenizer."""

import json
from pathlib import Path
from typing import Any

from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.encoding.backend_choice import find_sparse_attention
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.export.contents import EncoderExport
from sklearn_bert._engine.export.onnx.comparison import check_outputs
from sklearn_bert._engine.export.onnx.graph import OnnxGraph
from sklearn_bert._engine.export.onnx.libraries import import_onnx
from sklearn_bert._engine.export.onnx.tokenizer_file import write_tokenizer_file
from sklearn_bert._engine.export.onnx.tracing import trace
from sklearn_bert.exceptions import CheckpointError

MODEL = "model.onnx"
WEIGHTS = "model.onnx.data"
TOKENIZER = "tokenizer.json"
# Larger weights are in a file of their own: protobuf can hold 2 GiB.
MOST_BYTES = 2_000_000_000


def write_onnx(export: EncoderExport, metadata: dict[str, str], folder: Path) -> None:
    """Write the graph of an estimator, and the tokenizer that its inputs need.

    Parameters
    ----------
    export : EncoderExport
    metadata : dict of str to str
        What the file says about the estimator, in addition to how it reads texts.
    folder : pathlib.Path
        An empty folder.

    Raises
    ------
    ImportError
        If onnx or onnxruntime is not installed.
    ValueError
        If the outputs cannot be computed by one graph.
    CheckpointError
        If the encoder cannot be exported.
    """
    import_onnx()
    resolved = export.encoder
    _check_inputs(resolved)
    checkpoint = load(resolved.source)
    _check_encoder(checkpoint)
    tokenizing = resolved.tokenizing
    # Without a text: only the prompt is tokenized, and refused if it is too long.
    n_prompt = checkpoint.tokenizer([], None, **vars(tokenizing)).n_prompt
    graph = OnnxGraph(checkpoint, export, n_prompt)
    model = trace(graph, folder)
    _describe(model, export, metadata)
    _save(model, folder)
    write_tokenizer_file(
        checkpoint.tokenizer, folder / TOKENIZER, tokenizing.max_length
    )
    check_outputs(folder / MODEL, checkpoint, export, n_prompt)


def _check_inputs(resolved: ResolvedEncoder) -> None:
    """Refuse what a graph cannot compute of the ids of one sequence per text."""
    long_text = resolved.tokenizing.long_text
    if resolved.pooling is not None and long_text != "truncate":
        raise ValueError(
            "long_text must be 'truncate' for export_onnx: an ONNX graph reads one "
            f"sequence per text, of its first tokens. Got {long_text!r}. Fit with "
            "long_text='truncate', or use save."
        )
    if resolved.pooling == "compare" and not resolved.architecture.has_segments:
        raise ValueError(
            "pooling must not be 'compare' for export_onnx if the encoder has no "
            "segment ids, which tell the two texts of a pair apart. Got a model "
            "without them. Fit with pooling='mean', or use save."
        )


def _check_encoder(checkpoint: Checkpoint) -> None:
    model: Any = checkpoint.model
    if setting := find_sparse_attention(model.config):
        raise CheckpointError(
            "model must attend to all tokens for export_onnx. Got a "
            f"{model.config.model_type!r} model, whose attention is sparse "
            f"({setting}). "
            "Choose another encoder such as BERT, RoBERTa or MiniLM, or use save."
        )


def _describe(model: Any, export: EncoderExport, metadata: dict[str, str]) -> None:
    """Add the metadata of the estimator, as texts."""
    onnx, _ = import_onnx()
    resolved = export.encoder
    metadata = {
        **metadata,
        "max_length": str(resolved.tokenizing.max_length),
        "prompt": resolved.tokenizing.prompt,
        "layers": json.dumps(resolved.layers),
        "normalize": json.dumps(export.normalize),
    }
    if resolved.pooling is not None:
        metadata["pooling"] = resolved.pooling
    onnx.helper.set_model_props(model, metadata)
    model.producer_name = "sklearn_bert"
    model.doc_string = ""


def _save(model: Any, folder: Path) -> None:
    onnx, _ = import_onnx()
    n_bytes = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    options: dict[str, Any] = {}
    if n_bytes > MOST_BYTES:
        options = {"save_as_external_data": True, "location": WEIGHTS}
    onnx.save_model(model, folder / MODEL, **options)
