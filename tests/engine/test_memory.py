"""Giving memory back."""

import ctypes
import sys

import pytest
import torch

from sklearn_bert._engine import memory
from sklearn_bert._engine.memory import release_memory

CPU = torch.device("cpu")


def test_freed_memory_is_given_back(monkeypatch):
    asked = []
    monkeypatch.setattr(memory, "_find_malloc_trim", lambda: asked.append)
    release_memory(CPU)
    assert asked == [0]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_glibc_is_found():
    assert memory._find_malloc_trim() is not None


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_alone(monkeypatch, error):
    def fail(name):
        raise error

    memory._find_malloc_trim.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", fail)
    release_memory(CPU)
    assert memory._find_malloc_trim() is None
    memory._find_malloc_trim.cache_clear()
