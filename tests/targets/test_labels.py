"""Labels come back as they were given, whatever holds them."""

import datetime
import enum

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_bert import BertClassifier
from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._targets.labels import check_classes, check_labels

TEXTS = Texts(list("abcdefgh"))
FEATURES = np.arange(16.0).reshape(8, 2)
# As floats, these are two numbers and not four.
IDS = [2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3] * 2
NUMBERS, FLAGS, NAMES = [3, 5] * 4, [True, False] * 4, ["b", "a"] * 4


class Number(enum.IntEnum):
    LOW = 3
    HIGH = 5


class Name(str, enum.Enum):  # noqa: UP042
    A = "a"
    B = "b"


class Text(str):
    """A str whose str() is its text, unlike that of a member of an Enum."""


def as_objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def classes_of(y):
    return np.unique(check_labels(y, TEXTS, BertClassifier()))


WIDTHS = [f"{kind}{width}" for kind in ("int", "uint") for width in (8, 16, 32, 64)]

# What LogisticRegression takes and gives back as it was.
AS_IN_SCIKIT_LEARN = {
    **{name: np.array(NUMBERS, dtype=name) for name in WIDTHS},
    **{f"list of {name}": list(np.array(NUMBERS, dtype=name)) for name in WIDTHS},
    **{
        name: np.array(NUMBERS, dtype=name)
        for name in ("float16", "float32", "float64")
    },
    **{f"pandas {name}": pd.Series(NUMBERS, dtype=name) for name in ("int8", "uint64")},
    "bool": np.array(FLAGS),
    "list of bool": FLAGS,
    "list of int": NUMBERS,
    "list of float": [3.0, 5.0] * 4,
    "tuple": tuple(NUMBERS),
    "int and float": [3, 5.0] * 4,
    "bool and int": [True, 2] * 4,
    "members of an IntEnum": [Number.LOW, Number.HIGH] * 4,
    "list of str": NAMES,
    "list of np.str_": [np.str_(name) for name in NAMES],
    "list of a subclass of str": [Text(name) for name in NAMES],
    "array of str": np.array(NAMES),
    "objects that are str": as_objects(NAMES),
    "objects that are members of an Enum": as_objects([Name.A, Name.B] * 4),
    "ids": IDS,
    "large ids": [2**63, 2**63 + 1] * 4,
    "dates": np.array(["2020-01-01", "2021-01-01"] * 4, dtype="datetime64[D]"),
    "list of dates": list(np.array(["2020", "2021"] * 4, dtype="datetime64[ns]")),
    "pandas dates": pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"] * 4)),
    "pandas object": pd.Series(NAMES, dtype=object),
    "pandas string": pd.Series(NAMES, dtype="string"),
    "pandas string of pyarrow": pd.Series(NAMES, dtype="string[pyarrow]"),
    "pandas bool": pd.Series(FLAGS),
    "pandas category": pd.Series(NAMES, dtype="category"),
    "pandas category of int": pd.Series(NUMBERS, dtype="category"),
    "pandas category of Int64": pd.Series(IDS, dtype="Int64").astype("category"),
    "Categorical": pd.Categorical(NAMES, categories=["b", "a"], ordered=True),
    "polars int": pl.Series(IDS),
    "polars UInt8": pl.Series(NUMBERS, dtype=pl.UInt8),
    "polars bool": pl.Series(FLAGS),
    "polars str": pl.Series(NAMES),
    "polars category": pl.Series(NAMES, dtype=pl.Categorical),
    "polars Enum": pl.Series(NAMES, dtype=pl.Enum(["a", "b"])),
    "pyarrow int": pa.array(IDS),
    "pyarrow bool": pa.array(FLAGS),
    "pyarrow str": pa.array(NAMES),
    "pyarrow chunks": pa.chunked_array([NAMES[:4], NAMES[4:]]),
    "pyarrow dictionary": pa.array(NAMES).dictionary_encode(),
}


@pytest.mark.parametrize("y", AS_IN_SCIKIT_LEARN.values(), ids=AS_IN_SCIKIT_LEARN)
def test_labels_are_those_of_logistic_regression(y):
    found = classes_of(y)
    expected = LogisticRegression().fit(FEATURES, y).classes_
    assert found.dtype == expected.dtype
    assert found.tolist() == expected.tolist()
    assert list(map(type, found)) == list(map(type, expected))


# What LogisticRegression refuses, or turns into floats.
NULLABLE = ("Int8", "Int64", "UInt16", "int64[pyarrow]", "uint8[pyarrow]")
AS_GIVEN = {
    **{f"pandas {name}": (pd.Series(NUMBERS, dtype=name), [3, 5]) for name in NULLABLE},
    "pandas Int64 ids": (pd.Series(IDS, dtype="Int64"), IDS[:4]),
    "pandas ids of pyarrow": (pd.Series(IDS, dtype="int64[pyarrow]"), IDS[:4]),
    "pandas array": (pd.array(IDS, dtype="Int64"), IDS[:4]),
    "range": (range(8), list(range(8))),
    "pandas index": (pd.Index(IDS, dtype="Int64"), IDS[:4]),
    "pandas boolean": (pd.Series(FLAGS, dtype="boolean"), [False, True]),
    "pandas bool of pyarrow": (pd.Series(FLAGS, dtype="bool[pyarrow]"), [False, True]),
    "pandas category of bool": (pd.Series(FLAGS, dtype="category"), [False, True]),
    "pandas Float64": (pd.Series(NUMBERS, dtype="Float64"), [3.0, 5.0]),
    "objects that are int": (as_objects(NUMBERS), [3, 5]),
    "objects that are ids": (as_objects(IDS), IDS[:4]),
    "objects that are bool": (as_objects(FLAGS), [False, True]),
    "objects that are members": (as_objects([Number.LOW, Number.HIGH] * 4), [3, 5]),
    "objects that are NumPy's": (as_objects(list(np.array(NUMBERS, "int8"))), [3, 5]),
    "polars objects": (pl.Series(NUMBERS, dtype=pl.Object), [3, 5]),
    "texts that end in a null character": (["a", "a\0"] * 4, ["a", "a\0"]),
}


@pytest.mark.parametrize(("y", "expected"), AS_GIVEN.values(), ids=AS_GIVEN)
def test_labels_are_as_given(y, expected):
    found = classes_of(y)
    assert found.tolist() == expected
    assert list(map(type, found.tolist())) == list(map(type, expected))


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="needs NumPy 2")
def test_variable_width_strings_are_labels():
    y = np.array(NAMES, dtype=np.dtypes.StringDType())
    assert classes_of(y).tolist() == ["a", "b"]


@pytest.mark.parametrize("name", ["Int64", "boolean", "string", object, "category"])
def test_the_only_column_of_a_frame_is_a_column_of_labels(name):
    values = {"Int64": IDS, "boolean": FLAGS}.get(name, NAMES)
    frame = pd.DataFrame({"y": pd.Series(values, dtype=name)})
    with pytest.warns(match="A column-vector y was passed"):
        found = classes_of(frame)
    assert found.tolist() == sorted(set(values))


INDICATORS = np.array([[0, 1], [1, 1]] * 4)


@pytest.mark.parametrize(
    "y",
    [
        INDICATORS.astype(object),
        INDICATORS.astype(bool).astype(object),
        pd.DataFrame(INDICATORS, dtype="Int64"),
        pd.DataFrame(INDICATORS == 1, dtype="boolean"),
        pd.DataFrame({"x": INDICATORS[:, 0] == 1, "y": INDICATORS[:, 1]}),
        pl.DataFrame(INDICATORS),
    ],
    ids=["int", "bool", "Int64", "boolean", "bool and int", "polars"],
)
def test_indicators_are_numbers_whatever_holds_them(y):
    found = check_labels(y, TEXTS, BertClassifier())
    assert found.dtype.kind in "biu"
    assert found.astype(int).tolist() == INDICATORS.tolist()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", 1] * 4, r"Unknown label type: .*Got 1 \(int\) in row 1"),
        ([1, "a"] * 4, r"Got 1 \(int\) in row 0"),
        ([True, "a"] * 4, r"Got True \(bool\) in row 0"),
        (as_objects(["a", 1] * 4), r"Got 1 \(int\) in row 1"),
        (
            [2**64, 2**64 + 1] * 4,
            r"integers of at most 64 bits.*Got 18446744073709551616",
        ),
        ([2**63 + 1, -1] * 4, r"Got 9223372036854775809 \(int\) in row 0"),
        ([datetime.date(2020, 1, 1)] * 8, r"Got datetime\.date\(2020, 1, 1\) \(date\)"),
        ([Name.A, Name.B] * 4, r"Got <Name\.A: 'a'> \(Name\) in row 0.*label\.value"),
        ([None, "a"] * 4, "4 of 8 labels are missing, in row 0, 2, 4 and 1 more"),
        (["a", float("nan")] * 4, "Input y contains NaN"),
        (
            pd.Series([1, None] * 4, dtype="Int64"),
            "4 of 8 labels are missing, in row 1",
        ),
        (pd.Series(["a", None] * 4, dtype="string"), "missing, in row 1"),
        (pl.Series([1, None] * 4), "Input y contains NaN"),
        (pa.array(["a", None] * 4), "missing, in row 1"),
        (("a", ["b"]) * 4, "MultiLabelBinarizer"),
        (pd.Series([["a"], ["a", "b"]] * 4), "MultiLabelBinarizer"),
        (as_objects([{"a"}, {"b"}] * 4), "MultiLabelBinarizer"),
    ],
    ids=str,
)
def test_what_is_not_a_label_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_labels(y, TEXTS, BertClassifier())


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(IDS, dtype="Int64"),
        as_objects(NUMBERS),
        pd.Series(FLAGS, dtype="boolean"),
        as_objects([Name.A, Name.B] * 4),
        ["a", "a\0"] * 4,
    ],
    ids=["Int64", "int objects", "boolean", "members", "null"],
)
def test_predictions_are_labels_as_given(tiny_bert, y):
    classifier = BertClassifier(tiny_bert, n_epochs=1, random_state=0)
    texts = ["good film", "bad plot", "old story", "new music"] * 2
    predicted = classifier.fit(texts, y).predict(texts)
    given = list(y)
    assert set(predicted.tolist()) <= set(given)
    assert classifier.score(texts, np.array(given, dtype=predicted.dtype)) >= 0


def test_classes_of_partial_fit_are_read_as_labels_are():
    assert check_classes(pd.Series(IDS, dtype="Int64")).tolist() == IDS[:4]
    assert check_classes({"b", "a"}).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"Got 1 \(int\) in row 1"):
        check_classes(["a", 1])
