"""The files of benchmarks/, which are no package."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Import a module of benchmarks/, whose files import each other by name."""
    # Scripts look for the package in their checkout; tests want the installed one.
    importlib.import_module("sklearn_bert")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def data(load):
    """Twelve texts of two classes."""
    texts = ["a good film", "a dull story", "great music", "bad actor"] * 3
    return load("_labelled").Labelled(texts, ["up", "down"] * 6)
