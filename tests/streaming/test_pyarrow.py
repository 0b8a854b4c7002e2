"""The optional library of tables."""

import sys

import pytest

from sklearn_bert import BertVectorizer
from sklearn_bert.streaming import transform_batches, transform_parquet


@pytest.fixture
def no_pyarrow(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)


@pytest.mark.usefixtures("no_pyarrow")
def test_parquet_files_need_it(tmp_path):
    (tmp_path / "a.parquet").touch()
    with pytest.raises(ImportError, match="Install it with: pip install pyarrow"):
        transform_parquet(BertVectorizer(), tmp_path, tmp_path / "target")


@pytest.mark.usefixtures("no_pyarrow")
def test_lists_do_not_need_it(tiny_bert):
    (features,) = transform_batches(BertVectorizer(tiny_bert), ["a film"])
    assert features.shape == (1, 32)
