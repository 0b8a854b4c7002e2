"""Columns become what an estimator was fitted to, and results become columns."""

from types import SimpleNamespace

import numpy as np
import pytest

from sklearn_bert.distributed._columns import read_columns, to_arrow

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


def list_of(values):
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (np.zeros((2, 3), np.float32), "fixed_size_list<item: float>[3]"),
        (np.zeros((2, 3), np.float32).T[:2], "fixed_size_list<item: float>[2]"),
        (np.array([[0, 1], [1, 0]]), "fixed_size_list<item: int64>[2]"),
        (np.array([0.5, 1.5]), "double"),
        (np.array([True, False]), "bool"),
        (np.array(["good", "bad"]), "string"),
        (np.array(["good", "bad"], dtype=object), "string"),
        (list_of([["O"], ["O", "B-x"]]), "list<item: string>"),
    ],
)
def test_types_of_columns(result, kind):
    pytest.importorskip("pyarrow")
    array = to_arrow(result, "a test")
    assert str(array.type) == kind
    assert array.to_pylist() == result.tolist()
