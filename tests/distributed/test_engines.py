"""Packages that are not installed are named, with what installs them."""

import sys

import pandas as pd
import pytest

from sklearn_bert.distributed._engines import import_engine, name_type


@pytest.mark.parametrize(
    ("module", "remedy"),
    [
        ("dask.dataframe", r"pip install 'dask\[dataframe,distributed\]'"),
        ("ray.data", r"pip install 'ray\[data\]'"),
        ("pyspark.sql", "pip install pyspark pandas pyarrow"),
    ],
)
def test_error_says_how_to_install(monkeypatch, module, remedy):
    monkeypatch.setitem(sys.modules, module, None)
    rule = f"some_function needs the package {module.split('.')[0]}"
    with pytest.raises(ImportError, match=f"{rule}.*{remedy}"):
        import_engine(module, "some_function")


def test_values_have_the_name_of_their_package():
    assert name_type(pd.Series([1])) == "a pandas Series"
    assert name_type([1]) == "a list"
    assert name_type(1) == "an int"
