"""A graph with other outputs than the estimator is refused."""

import pytest
import torch

from sklearn_bert._engine.export.onnx import graph
from sklearn_bert._engine.export.onnx.write import write_onnx
from sklearn_bert.exceptions import CheckpointError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_a_graph_with_other_outputs_is_refused(
    tiny_bert, tmp_path, export, monkeypatch
):
    def pool_with_padding(hidden, mask, segments, pooling, n_prompt):
        return hidden.mean(1)

    monkeypatch.setattr(graph, "pool_padded", pool_with_padding)
    with pytest.raises(CheckpointError, match=r"same outputs. Got a 'bert' model"):
        write_onnx(export(tiny_bert), {}, tmp_path)


def test_a_graph_without_positions_of_long_texts_is_refused(
    tiny_bert, tmp_path, export, monkeypatch
):
    def pool_the_beginning(hidden, mask, segments, pooling, n_prompt):
        return pool_padded(hidden[:, :9], mask[:, :9], segments, pooling, n_prompt)

    pool_padded = graph.pool_padded
    monkeypatch.setattr(graph, "pool_padded", pool_the_beginning)
    with pytest.raises(CheckpointError, match=r"whose graph differs by \d"):
        write_onnx(export(tiny_bert), {}, tmp_path)


def test_outputs_that_are_nan_are_refused(tiny_bert, tmp_path, export, monkeypatch):
    def pool_to_nan(hidden, mask, segments, pooling, n_prompt):
        return hidden[:, 0] * torch.nan

    monkeypatch.setattr(graph, "pool_padded", pool_to_nan)
    with pytest.raises(CheckpointError, match="differs by nan"):
        write_onnx(export(tiny_bert), {}, tmp_path)
