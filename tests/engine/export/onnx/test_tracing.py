"""A trace has shapes of any size, and a model without one is refused."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.export.contents import LabeledHead
from sklearn_bert._engine.export.onnx import graph
from sklearn_bert._engine.export.onnx.write import write_onnx
from sklearn_bert.exceptions import CheckpointError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_a_model_that_cannot_be_exported_is_refused(
    tiny_bert, tmp_path, export, monkeypatch
):
    def decompose(hidden, mask, segments, pooling, n_prompt):
        return torch.linalg.eigvalsh(hidden @ hidden.mT)

    monkeypatch.setattr(graph, "pool_padded", decompose)
    with pytest.raises(CheckpointError, match=r"export to ONNX. Got a 'bert' model"):
        write_onnx(export(tiny_bert), {}, tmp_path)


def test_shapes_are_dynamic_and_named(tiny_bert, tmp_path, export):
    kind = "token-classification", "single_label_classification"
    head = LabeledHead(*kind, ("a", "b", "c"), np.ones((3, 32)), np.zeros(3))
    write_onnx(export(tiny_bert, head=head, pooling=None), {}, tmp_path)
    model = onnx.load(tmp_path / "model.onnx")
    shapes = {
        one.name: [x.dim_param or x.dim_value for x in one.type.tensor_type.shape.dim]
        for one in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {
        "input_ids": ["batch", "sequence"],
        "attention_mask": ["batch", "sequence"],
        "token_type_ids": ["batch", "sequence"],
        "logits": ["batch", "sequence", 3],
        "probabilities": ["batch", "sequence", 3],
    }
    assert [(one.domain, one.version) for one in model.opset_import] == [("", 17)]


def test_a_trace_in_inference_mode_is_the_same(tiny_bert, tmp_path, export):
    contents = []
    for name, mode in (("a", False), ("b", True)):
        (tmp_path / name).mkdir()
        with torch.inference_mode(mode):
            write_onnx(export(tiny_bert), {}, tmp_path / name)
        contents.append((tmp_path / name / "model.onnx").read_bytes())
    assert contents[0] == contents[1]
