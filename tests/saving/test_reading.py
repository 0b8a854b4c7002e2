"""Nodes that no writer writes are refused; those it writes give the values again."""

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from sklearn_bert._saving.file import StoredTensor
from sklearn_bert._saving.reading import Reader
from sklearn_bert._saving.writing import Writer

ERRORS = (ValueError, TypeError, LookupError, AttributeError)
FLOATS = StoredTensor("F32", np.arange(3, dtype=np.float32))


def check(text):
    """Accept any tokenizer."""


def make_reader(tensors=()):
    return Reader(dict(tensors), {}, check)


def read_again(value):
    writer = Writer(None, in_bfloat16=False)
    node = writer.write(value, "x")
    reader = make_reader(writer.tensors)
    found = reader.read(node)
    reader.check_that_all_is_read()
    return found


@pytest.mark.parametrize(
    "value",
    [
        (1, [2, ({"a": 3, 4: None},)]),
        {(1, 2): "a", None: [], True: 2**80},
        float("inf"),
        -0.0,
        1e-320,
        "\ud800 \0 é" * 3000,
        Path("a"),
        np.float32(0.1),
        np.bool_(1),
        np.str_("é"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_values_are_the_same(value):
    found = read_again(value)
    assert found == value
    assert repr(found) == repr(value)
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.arange(6)[::2],
        np.array(3.5, np.float16),
        np.zeros((0, 4), np.uint8),
        np.array([1, 2], ">i4"),
        np.array([True, False]),
        np.array(["a", "é"], "<U7"),
        np.array([], "<U3"),
        np.array(["a", 1, None, 2.5], object),
        np.array([2**63, 2**64 - 1], np.uint64),
    ],
)
def test_arrays_are_the_same(array):
    found = read_again(array)
    assert found.dtype == array.dtype
    assert found.dtype.str == array.dtype.str
    assert found.shape == array.shape
    assert found.tolist() == array.tolist()


def test_not_a_number_is_the_same():
    assert math.isnan(read_again(float("nan")))


def test_a_random_state_is_the_same():
    random = np.random.RandomState(5)
    random.randn(3)
    found = read_again(random)
    assert found.randn(9).tolist() == random.randn(9).tolist()


KEY = StoredTensor("U32", np.zeros(624, np.uint32))
STATE = {"key": {"array": ["<u4", "key"]}, "pos": 3, "has_gauss": 0, "gauss": 0.0}


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"tuple": [], "dict": []},
        {"unknown": 1},
        {"tuple": "ab"},
        {"tuple": {"tuple": []}},
        {"dict": [[1]]},
        {"dict": [[1, 2], [1, 3]]},
        {"dict": [[[], 2]]},
        {"float": "1.0"},
        {"float": 1.0},
        {"path": 3},
        {"path": None},
        {"scalar": ["<i8"]},
        {"scalar": ["|O", 1]},
        {"scalar": ["<i1,<i1", 1]},
        {"scalar": ["<M8[D]", 1]},
        {"text": "none"},
        {"text": ["x"]},
        {"array": ["<f4", "none"]},
        {"array": ["<i4", "x"]},
        {"array": ["|O", "x"]},
        {"array": ["<U1", "x"]},
        {"array": [None, "x"]},
        {"values": ["<U1", ["ab"]]},
        {"values": ["<U1", [1]]},
        {"values": ["<i8", [1]]},
        {"values": ["|V8", ["a"]]},
        {"record": {"class": "Path", "fields": {}}},
        {"record": {"class": "Prompts", "fields": {"named": 1}}},
        {"record": {"class": "Prompts"}},
        {"tokenizer": {"json": "{}", "has_segments": 1}},
        {"random_state": {**STATE, "pos": 625}},
        {"random_state": {**STATE, "pos": -1}},
        {"random_state": {**STATE, "pos": True}},
        {"random_state": {**STATE, "key": {"array": ["<f4", "x"]}}},
        {"random_state": {**STATE, "more": 1}},
        {"estimator": {}},
    ],
)
def test_other_nodes_are_refused(node):
    with pytest.raises(ERRORS):
        make_reader({"x": FLOATS, "key": KEY}).read(node)


def test_a_wide_dtype_asks_for_no_memory():
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="wrong dtype"):
            make_reader().read({"values": ["<U500000000", ["a"]]})
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_each_tensor_is_used_exactly_once():
    node = {"array": ["<f4", "x"]}
    reader = make_reader({"x": FLOATS})
    with pytest.raises(ValueError, match="1 tensors without a use"):
        reader.check_that_all_is_read()
    reader.read(node)
    reader.check_that_all_is_read()
    with pytest.raises(LookupError):
        reader.read(node)
