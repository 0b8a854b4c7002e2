"""From a module to an ONNX graph with dynamic shapes."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch

from sklearn_bert._engine.export.onnx.graph import OnnxGraph
from sklearn_bert._engine.export.onnx.libraries import import_onnx
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory
from sklearn_bert._engine.runtime.quiet import quietly
from sklearn_bert.exceptions import CheckpointError

# The first version with LayerNormalization, which runtimes since 2022 know.
OPSET = 17
# Of the example that is traced: not 1, which torch treats as a constant.
_N_ROWS, _LENGTH = 2, 7


# Transformers' models warn about shapes that they check in Python.
@quietly()
# The caller may have switched to inference mode, whose tensors cannot be traced.
@torch.inference_mode(False)
def trace(graph: OnnxGraph, folder: Path) -> Any:
    """Return the ONNX model of a module whose inputs have any shape.

    The TorchScript exporter is used. It takes a second where the newer one takes half
    a minute, exports every family of encoders, and needs no other library.

    Parameters
    ----------
    graph : OnnxGraph
    folder : pathlib.Path
        A folder for temporary files.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    CheckpointError
        If torch cannot export the model.
    """
    onnx, _ = import_onnx()
    shape = {0: "batch", 1: "sequence"}
    per_text = {0: "batch"}
    of_outputs = shape if graph.reads_tokens else per_text
    with tempfile.TemporaryDirectory(dir=folder) as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A file, because weights of more than 2 GB are written into further files.
        path = str(Path(place, "traced.onnx"))
        try:
            with torch.no_grad():
                torch.onnx.export(
                    graph,
                    tuple(_example(graph)),
                    path,
                    dynamo=False,
                    opset_version=OPSET,
                    input_names=graph.input_names,
                    output_names=graph.output_names,
                    dynamic_axes={
                        **dict.fromkeys(graph.input_names, shape),
                        **dict.fromkeys(graph.output_names, of_outputs),
                    },
                )
        # A model that torch does not know can fail in any way.
        except Exception as error:
            raise_if_out_of_memory(error)
            reason = str(error).strip().split("\n")[0]
            raise CheckpointError(
                "model must be an encoder that torch can export to ONNX. Got a "
                f"{graph.model_type!r} model, which failed with: {reason}. Choose "
                "another encoder such as BERT, RoBERTa or MiniLM, or use save."
            ) from error
        model = onnx.load(path)
    _remove_notes(model.graph)
    return model


def _example(graph: OnnxGraph) -> list[torch.Tensor]:
    """Return two sequences, one of them padded."""
    ids = torch.arange(_N_ROWS * _LENGTH).reshape(_N_ROWS, _LENGTH) % graph.vocab_size
    mask = torch.ones_like(ids)
    mask[1, _LENGTH // 2 :] = 0
    by_name = {"attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    return [by_name.get(name, ids) for name in graph.input_names]


def _remove_notes(graph: Any) -> None:
    """Remove what exporters tell about the code, which names files of this machine."""
    graph.doc_string = ""
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
        for attribute in node.attribute:
            attribute.doc_string = ""
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    _remove_notes(inner)
