"""The optional library of adapters."""

import sys

import pytest

from sklearn_bert._engine.training.adapter.library import import_peft


def test_without_the_library_the_error_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ImportError, match=r"pip install peft$"):
        import_peft()
