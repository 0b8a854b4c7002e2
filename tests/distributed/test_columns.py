"""Columns become what an estimator was fitted to."""

from types import SimpleNamespace

import numpy as np
import pytest

from sklearn_bert.distributed._columns import read_columns

UNNAMED = SimpleNamespace()
NAMED = SimpleNamespace(feature_names_in_=np.array(["question", "answer"]))


def test_one_column_is_itself():
    texts = ["a film"]
    assert read_columns(UNNAMED, [texts], "a test") is texts


def test_two_columns_are_pairs():
    assert read_columns(UNNAMED, [["a"], ["b"]], "a test") == [("a", "b")]


def test_names_are_those_of_fit():
    pytest.importorskip("pandas")
    frame = read_columns(NAMED, [["a"], ["b"]], "a test")
    assert frame.to_dict("list") == {"question": ["a"], "answer": ["b"]}


def test_another_number_of_columns_has_no_names():
    assert read_columns(NAMED, [["a"]], "a test") == ["a"]
