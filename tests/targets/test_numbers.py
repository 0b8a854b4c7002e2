"""What is accepted as numbers, whatever holds them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_bert import BertRegressor
from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._targets.numbers import check_numbers

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
    ],
    ids=str,
)
def test_what_is_not_a_number_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_numbers(y, TEXTS, BertRegressor())
