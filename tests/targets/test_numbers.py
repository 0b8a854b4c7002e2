"""What is accepted as numbers, whatever holds them, and how they are scaled."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from sklearn_bert import BertRegressor
from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._targets.checks import as_objects
from sklearn_bert._targets.numbers import check_numbers, has_decimals, read_numbers

TEXTS = Texts(["a", "b", "c"])
NUMBERS = [1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    "y",
    [
        NUMBERS,
        [1, False, 2.0],
        np.array(NUMBERS, dtype=object),
        np.array(NUMBERS, dtype="float16"),
        pd.Series(NUMBERS, dtype="Int64"),
        pd.Series(NUMBERS, dtype="UInt8"),
        pd.Series(NUMBERS, dtype="Float32"),
        pd.Series(NUMBERS, dtype="double[pyarrow]"),
        pd.Series(NUMBERS, dtype=object),
        pl.Series(NUMBERS),
        pa.array(NUMBERS),
    ],
    ids=lambda y: f"{type(y).__module__} {getattr(y, 'dtype', '')}",
)
def test_numbers_become_float64(y):
    found = check_numbers(y, TEXTS, BertRegressor())
    assert found.dtype == np.float64
    assert found.tolist() == NUMBERS


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="needs NumPy 2")
def test_variable_width_strings_that_are_not_numbers_are_refused():
    y = np.array(["1", "b", "3"], dtype=np.dtypes.StringDType())
    with pytest.raises(ValueError, match=r"Got 'b' \(str\) in row 1"):
        check_numbers(y, TEXTS, BertRegressor())


def test_columns_of_a_frame_are_targets():
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [True, False, True]}, dtype="object")
    frame = frame.convert_dtypes()
    found = check_numbers(frame, TEXTS, BertRegressor())
    assert found.tolist() == [[1, 1], [2, 0], [3, 1]]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            pd.Series([1, None, 2], dtype="Int64"),
            "1 of 3 numbers are missing, in row 1",
        ),
        (pd.Series([1, None, 2], dtype="double[pyarrow]"), "missing, in row 1"),
        (pl.Series([1, None, 2]), "missing, in row 1"),
        ([1, None, 2], "missing, in row 1"),
        ([1, float("inf"), 2], "Input y contains infinity"),
        (["1", "2", "3"], "not compatible with arrays of bytes/strings"),
        ([1, 2], r"inconsistent numbers of samples: \[3, 2\]"),
        ([1j, 2, 3], "Complex data not supported"),
        (["a", "2", "3"], r"must contain numbers\. Got 'a' \(str\) in row 0"),
        (pd.Series(["1", "b", "3"]), r"Got 'b' \(str\) in row 1"),
        ([1, b"2", 3], r"Got b'2' \(bytes\) in row 1"),
        ([1, {2}, 3], r"Got \{2\} \(set\) in row 1"),
        ([1, 10**400, 3], r"\(int\) in row 1"),
        ([[1], [2, 3], [4]], r"rows of different lengths, such as \[1\] \(list\)"),
        ([[1], 2, 3], "rows of different lengths"),
        ({0: 1, 1: 2, 2: 3}, r"\(dict\)\. Pass its values .*list\(y\.values\(\)\)"),
        ((x for x in NUMBERS), r"\(generator\)\. Convert it to a list: list\(y\)"),
        ("123", r"one number per sample\. Got '123' \(str\)"),
        (np.array(3.0), r"Got array\(3\.\) \(ndarray\)"),
        (sparse.csr_array([[1], [2], [3]]), r"must be dense\. .*y\.toarray\(\)"),
        (
            pd.DataFrame.sparse.from_spmatrix(sparse.eye(3, format="csc")),
            r"must be dense\. Got a DataFrame .*y\.sparse\.to_dense\(\)",
        ),
        (np.ma.masked_array(NUMBERS, [0, 0, 1]), "masked values in row 2"),
        (np.array(["2020", "2021", "2022"], "M8[D]"), r"dtype datetime64\[D\]\. Conv"),
        (
            np.array([1, 2, 3], "m8[D]"),
            r"dtype timedelta64\[D\]\. .*timedelta64\(1, 'D'",
        ),
        (pd.Series(pd.to_datetime(["2020", "2021", "2022"])), "dtype datetime64"),
        (as_objects([1, np.timedelta64(2, "D"), 3]), r"timedelta64\) in row 1"),
        ([datetime.date(2020, 1, 1)] * 3, r"\(date\) in row 0"),
        (pd.Series(pd.to_timedelta(["1D", "2D", "3D"])), "dtype timedelta64"),
        (pd.to_datetime(["2020", "2021", "2022"], utc=True), r"\(Timestamp\) in row 0"),
    ],
)
def test_what_is_not_a_number_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_numbers(y, TEXTS, BertRegressor())


TARGETS = np.array([[10.0, 1.0], [20.0, 1.0], [40.0, 1.0], [70.0, 1.0]])


def test_numbers_are_scaled_by_their_weighted_mean_and_deviation():
    weights = np.array([1.0, 2.0, 0.0, 1.0])
    target = read_numbers(TARGETS, weights, None, "huber")
    assert target.mean.tolist() == [30, 1]
    # A constant is left as it is.
    assert target.scale == pytest.approx([np.sqrt(550), 1])
    mean = np.average(target.values, axis=0, weights=weights)
    np.testing.assert_allclose(mean, 0, atol=1e-15)
    assert target.values[:, 1].tolist() == [0, 0, 0, 0]


def test_known_scales_are_kept():
    known = np.array([0.0, 1.0]), np.array([10.0, 2.0])
    target = read_numbers(TARGETS, np.ones(4), known, "huber")
    assert target.values[:, 0].tolist() == [1, 2, 4, 7]


def test_numbers_too_large_to_be_squared_are_scaled():
    target = read_numbers(np.array([1e300, -1e300]), np.ones(2), None, "huber")
    assert target.values.ravel().tolist() == [1, -1]


def test_a_number_without_weight_decides_nothing():
    numbers = np.array([[3.0], [5.0], [4.0], [1e37]])
    weights = np.array([1.0, 1.0, 1.0, 0.0])
    target = read_numbers(numbers, weights, None, "huber")
    assert target.scale == pytest.approx([np.sqrt(2 / 3)])


@pytest.mark.parametrize(
    "y",
    [
        [0.5, 2],
        [[1.5, 2], [2, 3]],
        np.array([[0.5], [1]]),
        [1.5, None, 2],
        [1.0, np.inf],
        [Decimal("1.5"), 1],
        pd.Series([1.5, None], dtype="Float64"),
    ],
    ids=["mixed", "lists", "column", "missing", "infinite", "decimal", "nullable"],
)
def test_numbers_with_decimals_are_told_from_labels(y):
    assert has_decimals(y)


@pytest.mark.parametrize(
    "y",
    [
        [1, 2.0],
        ["0.5", "1"],
        [[1, 0], [0, 1]],
        [1.0, np.nan],
        [[1.5], []],
        [True, False],
        [0.5, "a"],
        None,
    ],
    ids=[
        *("whole", "texts", "indicators", "missing", "ragged"),
        *("bool", "number and text", "none"),
    ],
)
def test_labels_are_told_from_numbers_with_decimals(y):
    assert not has_decimals(y)
