"""There is one cache in memory, and one in each folder."""

from pathlib import Path

import pytest

from sklearn_bert._engine.embedding_cache.disk import DiskStore
from sklearn_bert._engine.embedding_cache.memory import MemoryStore
from sklearn_bert._engine.embedding_cache.open import open_store


def test_the_process_has_one_cache_in_memory():
    assert isinstance(open_store("memory"), MemoryStore)
    assert open_store("memory") is open_store("memory")


def test_everything_else_is_a_folder():
    for folder in ("features", "./memory", Path("memory")):
        store = open_store(folder)
        assert isinstance(store, DiskStore)
        assert store.folder == Path(folder)


def test_a_tilde_is_the_home_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_store("~/features").folder == tmp_path / "features"


def test_a_folder_has_a_name():
    with pytest.raises(ValueError, match=r"Got ''\. Pass the name of a folder"):
        open_store("")
