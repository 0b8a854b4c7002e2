"""A folder has a graph and a tokenizer, or the reason why not is given."""

import os

import pytest

from sklearn_bert._engine.export.onnx import write
from sklearn_bert._engine.export.onnx.write import write_onnx
from sklearn_bert.exceptions import CheckpointError

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def test_a_model_with_sparse_attention_is_refused(save_model, tmp_path, export):
    folder = save_model(
        tmp_path / "model", "big_bird", attention_type="block_sparse", block_size=4
    )
    with pytest.raises(CheckpointError, match=r"sparse \(attention_type='block_spars"):
        write_onnx(export(folder), {}, tmp_path)


def test_a_comparison_needs_segments(save_model, tmp_path, export):
    folder = save_model(tmp_path / "model", "distilbert", dim=32, n_heads=4, n_layers=3)
    with pytest.raises(ValueError, match=r"must not be 'compare' .* no segment ids"):
        write_onnx(export(folder, 2, pooling="compare"), {}, tmp_path)


def test_large_weights_are_in_a_file_of_their_own(
    tiny_bert, tmp_path, export, monkeypatch
):
    monkeypatch.setattr(write, "MOST_BYTES", 1000)
    write_onnx(export(tiny_bert), {}, tmp_path)
    assert sorted(os.listdir(tmp_path)) == [
        "model.onnx",
        "model.onnx.data",
        "tokenizer.json",
    ]
    (tmp_path / "moved").mkdir()
    for name in ("model.onnx", "model.onnx.data"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    session = onnxruntime.InferenceSession(tmp_path / "moved" / "model.onnx")
    assert [one.name for one in session.get_outputs()] == ["features"]


def test_the_file_is_described(tiny_bert, tmp_path, export):
    exported = export(tiny_bert, prompt="watch: ", max_length=20, normalize=True)
    write_onnx(exported, {"estimator": "Some"}, tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    meta = session.get_modelmeta()
    assert meta.producer_name == "sklearn_bert"
    assert meta.custom_metadata_map == {
        "estimator": "Some",
        "pooling": "mean",
        "layers": "[3]",
        "normalize": "true",
        "max_length": "20",
        "prompt": "watch: ",
    }
