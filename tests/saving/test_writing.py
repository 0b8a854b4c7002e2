"""Values as JSON and tensors."""

import json
from pathlib import Path

import numpy as np
import pytest

from sklearn_bert._saving.writing import UnwritableError, Writer


def refuse(value, place, writer):
    raise UnwritableError(repr(value))


@pytest.fixture
def writer():
    return Writer(refuse, in_bfloat16=False)


@pytest.mark.parametrize("value", [None, True, 7, 2**70, -0.5, "text", [1, ["a"]]])
def test_plain_values_are_written_as_json_has_them(writer, value):
    assert writer.write(value, "x") == value
    assert writer.tensors == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, (2,)), {"tuple": [1, {"tuple": [2]}]}),
        ({1: "a"}, {"dict": [[1, "a"]]}),
        (float("-inf"), {"float": "-inf"}),
        (Path("a/b"), {"path": str(Path("a/b"))}),
        (np.int8(3), {"scalar": ["|i1", 3]}),
        (np.str_("a"), {"scalar": ["<U1", "a"]}),
        (np.array(["a", "bc"]), {"values": ["<U2", ["a", "bc"]]}),
        (np.array(["a", 1, None], object), {"values": ["|O", ["a", 1, None]]}),
    ],
)
def test_other_values_have_a_tag(writer, value, expected):
    found = writer.write(value, "x")
    assert found == expected
    json.dumps(found, allow_nan=False)


def test_arrays_and_long_texts_become_tensors(writer):
    assert writer.write({"a": [np.arange(3)]}, "x") == {
        "dict": [["a", [{"array": ["<i8", "x.a.0"]}]]]
    }
    assert writer.write("é" * 5000, "text") == {"text": "text"}
    assert writer.tensors["text"].array.nbytes == 10_000


def test_each_tensor_has_a_name_of_its_own(writer):
    writer.write({"a.b": np.arange(1), "a": {"b": np.arange(2)}}, "x")
    assert len(writer.tensors) == 2


@pytest.mark.parametrize(
    "value",
    [
        print,
        lambda: None,
        b"bytes",
        {1, 2},
        np.array([1j]),
        np.array(["2020-01-01"], "M8[D]"),
        np.array([["a"]]),
        np.array([print]),
        np.longdouble(1),
        np.datetime64("2020-01-01"),
        np.random.RandomState(np.random.PCG64(0)),
        np.random.default_rng(0),
        type("Text", (str,), {})("a"),
        type("Number", (int,), {})(1),
    ],
)
def test_values_of_other_types_are_refused(writer, value):
    with pytest.raises(UnwritableError):
        writer.write(value, "x")
