"""Labels come back as they were given, whatever holds them."""

import datetime
import enum

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
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


class Word(enum.StrEnum):
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
    "members of a StrEnum": [Word.A, Word.B] * 4,
    "objects that are members of a StrEnum": as_objects([Word.A, Word.B] * 4),
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
    "texts that end in a null character": (["a", "a\0"] * 4, ["a", "a\0"]),
}


@pytest.mark.parametrize(("y", "expected"), AS_GIVEN.values(), ids=AS_GIVEN)
def test_labels_are_as_given(y, expected):
    found = classes_of(y)
    assert found.tolist() == expected
    assert list(map(type, found.tolist())) == list(map(type, expected))


@pytest.mark.parametrize("name", ["Int64", "boolean", "string", object, "category"])
def test_the_only_column_of_a_frame_is_a_column_of_labels(name):
    values = {"Int64": IDS, "boolean": FLAGS}.get(name, NAMES)
    frame = pd.DataFrame({"y": pd.Series(values, dtype=name)})
    with pytest.warns(match="A column-vector y was passed"):
        found = classes_of(frame)
    assert found.tolist() == sorted(set(values))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_is_refused():
    with pytest.raises(ValueError, match=r"\(matrix\).*numpy\.asarray\(y\)"):
        classes_of(np.asmatrix(NUMBERS).T)


INDICATORS = np.array([[0, 1], [1, 1]] * 4)
BIG = [2**64 - 1, 2**64 - 2] * 4

# What scikit-learn's splitters or metrics refuse.
NOT_READABLE = {
    "int": (as_objects(NUMBERS), "dtype object (ndarray) with 3 (int)", "int64"),
    "ids": (as_objects(IDS), "(int) in row 0", "int64"),
    "bool": (as_objects(FLAGS), "with True (bool)", "bool"),
    "float": (as_objects([1.0, 2.0] * 4), "with 1.0 (float)", "float64"),
    "members": (as_objects([Number.LOW, Number.HIGH] * 4), "3 (int)", "int64"),
    "NumPy's": (as_objects(list(np.array(NUMBERS, "int8"))), "3 (int)", "int8"),
    "pandas": (pd.Series(NUMBERS, dtype=object), "(Series)", "int64"),
    "column": (as_objects(NUMBERS)[:, None], "[3] (list)", "int64"),
    "polars": (pl.Series(NUMBERS, dtype=pl.Object), "dtype Object", "int64"),
    "UInt64": (pd.Series(BIG, dtype="UInt64"), "dtype UInt64", "uint64"),
    "small and large": ([2**63, 1] * 4, "9223372036854775808 (int)", "uint64"),
    "uint64[pyarrow]": (pd.Series(BIG, dtype="uint64[pyarrow]"), "[py", "uint64"),
    "indicators": (INDICATORS.astype(object), "[0, 1] (list)", "int64"),
    "bool indicators": ((INDICATORS == 1).astype(object), "[False, ", "bool"),
    "Int64 frame": (pd.DataFrame(INDICATORS, dtype="Int64"), "DataFrame", "int64"),
    "boolean frame": (pd.DataFrame(INDICATORS == 1, dtype="boolean"), "D", "bool"),
    "mixed frame": (
        pd.DataFrame({"x": INDICATORS[:, 0] == 1, "y": INDICATORS[:, 1]}),
        "DataFrame",
        "int64",
    ),
}
if hasattr(np.dtypes, "StringDType"):
    NOT_READABLE["StringDType"] = (
        np.array(NAMES, dtype=np.dtypes.StringDType()),
        "dtype StringDType() (ndarray) with 'b' (str)",
        "object",
    )


@pytest.mark.parametrize(("y", "got", "dtype"), NOT_READABLE.values(), ids=NOT_READABLE)
def test_labels_that_metrics_refuse_are_refused_with_the_conversion(y, got, dtype):
    with pytest.raises(ValueError, match="Unknown label type: y must have") as caught:
        classes_of(y)
    assert got in str(caught.value)
    assert f"Convert it: numpy.asarray(y, dtype='{dtype}')." in str(caught.value)
    converted = np.asarray(y, dtype=dtype)
    read = check_labels(converted, TEXTS, BertClassifier(), warn=False)
    assert read.tolist() == converted.reshape(read.shape).tolist()


@pytest.mark.parametrize(
    "y",
    [
        INDICATORS.tolist(),
        INDICATORS.astype(float),
        INDICATORS == 1,
        pd.DataFrame(INDICATORS),
        pl.DataFrame(INDICATORS),
    ],
    ids=["list", "float", "bool", "pandas", "polars"],
)
def test_indicators_are_numbers_whatever_holds_them(y):
    found = check_labels(y, TEXTS, BertClassifier())
    assert found.dtype.kind in "biuf"
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
        (as_objects(["a", Name.B] * 4), r"Got <Name\.B: 'b'> \(Name\) in row 1"),
        (pd.Series([Name.A, Name.B] * 4, dtype=object), r"read as 'Name\.A'"),
        ([2**63, -1] * 4, r"at most 64 bits\. Got 9223372036854775808 \(int\)"),
        ([b"a", b"b"] * 4, r"Got b'a' \(bytes\) in row 0\. Decode .*label\.decode"),
        (np.array([b"a", b"b"] * 4), r"Got b'a' \(bytes\)"),
        (as_objects([b"a", b"b"] * 4), r"Got b'a' \(bytes\)"),
        (list(pa.array(NAMES)), r"label\.as_py\(\)"),
        (np.array([(1, 2)] * 8, dtype="i4,i4"), "Unknown label type: y must"),
        (np.ma.masked_array(NUMBERS, [1] + [0] * 7), "masked values in row 0"),
        (np.ma.masked_array(NAMES, [0, 1] * 4), "in row 1, 3, 5 and 1 more"),
        ([3, np.ma.masked] * 4, "masked values in row 1, 3, 5 and 1 more"),
        (
            dict(enumerate(NAMES)),
            r"\(dict\)\. Pass its values .* list\(y\.values\(\)\)",
        ),
        (dict(enumerate(NAMES)).values(), r"\(dict_values\).*list\(y\)"),
        ((name for name in NAMES), r"\(generator\)\. Convert .* list\(y\)"),
        (set(range(8)), r"\(set\)\. A set has no order"),
        ("abababab", r"one label per sample\. Got 'abababab' \(str\)\. Pass a list"),
        (b"abababab", r"one label per sample\. Got b'abababab' \(bytes\)"),
        (memoryview(np.array(NUMBERS)), r"\(memoryview\).*numpy\.asarray\(y\)"),
        (3, r"Got 3 \(int\)\. Pass a list with one label per sample"),
        (np.array(3), r"Got array\(3\) \(ndarray\)\. Pass a list"),
        (np.zeros((8, 2, 2), int), r"Got 3 dimensions \(shape=\(8, 2, 2\)\)"),
        ([[[1, 0], [0, 1]]] * 8, r"Got \[\[1, 0\], \[0, 1\]\] \(list\), a list of"),
        ([[]] * 8, r"Got \[\] \(list\).*MultiLabelBinarizer"),
        (["a", []] * 4, r"Got \[\] \(list\).*MultiLabelBinarizer"),
        ([{1, 2}, {2, 3}] * 4, r"Got {1, 2} \(set\).*MultiLabelBinarizer"),
        ([frozenset("a"), frozenset("b")] * 4, "MultiLabelBinarizer"),
        (sparse.csr_array([[1], [0]] * 4), r"must be dense.*y\.toarray\(\)\.ravel\(\)"),
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
)
def test_what_is_not_a_label_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_labels(y, TEXTS, BertClassifier())


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(IDS, dtype="Int64"),
        pd.Series(FLAGS, dtype="boolean"),
        as_objects([Word.A, Word.B] * 4),
        ["a", "a\0"] * 4,
    ],
    ids=["Int64", "boolean", "members", "null"],
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
    assert check_classes(pa.array(NAMES)).tolist() == ["a", "b"]
    assert check_classes(pd.DataFrame({"y": NAMES})).tolist() == ["a", "b"]
    assert check_classes(name for name in NAMES).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"Got 1 \(int\) in row 1"):
        check_classes(["a", 1])


@pytest.mark.parametrize(
    ("classes", "got"),
    [
        ("gb", r"'gb' \(str\)"),
        (b"gb", r"b'gb' \(bytes\)"),
        (5, r"5 \(int\)"),
        (np.array(5), r"array\(5\) \(ndarray\)"),
        ([["g", "b"]], r"\[\['g', 'b'\]\] \(list\)"),
        (np.array([["g", "b"]]), r"array\(\[\['g', 'b'\]\], dtype='<U1'\) \(ndarray\)"),
        ([], r"\[\] \(list\)"),
        (sparse.csr_array([[1, 2]]), r"<.* \(csr_array\)"),
        (["g", None], r"\['g', None\] \(list\)"),
    ],
)
def test_classes_that_are_no_list_of_labels_are_refused(classes, got):
    words = rf"classes must .*\. Got {got}\. Pass all labels that occur in any call: \["
    with pytest.raises(ValueError, match=words):
        check_classes(classes)


def test_masked_classes_are_refused():
    with pytest.raises(ValueError, match="classes must not contain masked values"):
        check_classes(np.ma.masked_array([1, 2], [0, 1]))
