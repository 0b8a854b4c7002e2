"""A missing library is named with the command that installs it."""

import sys

import pytest

from sklearn_bert._engine.export.onnx.libraries import import_onnx


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_library_is_named(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install onnx onnxruntime$"):
        import_onnx()


def test_both_are_returned():
    onnx, onnxruntime = map(pytest.importorskip, ("onnx", "onnxruntime"))
    assert import_onnx() == (onnx, onnxruntime)
