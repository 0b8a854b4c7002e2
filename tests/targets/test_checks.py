"""What is accepted as weights, whatever holds them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from sklearn_bert._targets.checks import check_weights

WEIGHTS = [1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    "weights",
    [
        np.array(WEIGHTS, dtype=object),
        pd.Series(WEIGHTS, dtype="Int64"),
        pd.Series(WEIGHTS, dtype="Float32"),
        pd.Series(WEIGHTS, dtype="double[pyarrow]"),
        pl.Series(WEIGHTS),
        pa.array(WEIGHTS),
    ],
    ids=lambda weights: f"{type(weights).__module__} {getattr(weights, 'dtype', '')}",
)
def test_weights_become_float64(weights):
    found = check_weights(weights, 3)
    assert found.dtype == np.float64
    assert found.tolist() == WEIGHTS


def test_a_missing_weight_is_refused():
    with pytest.raises(ValueError, match="Input sample_weight contains NaN"):
        check_weights(pd.Series([1, None, 2], dtype="Int64"), 3)


@pytest.mark.parametrize("given", [None, 3, 0.5])
def test_one_weight_or_none_is_that_of_all(given):
    assert check_weights(given, 2).tolist() == [1 if given is None else given] * 2


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1.0], r"== \(1,\), expected \(3,\)!"), ([[1.0], [2.0], [3.0]], "got 2D array")],
)
def test_weights_of_another_shape_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weights, 3)


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="Negative values in data passed to"):
        check_weights([-1.0, 1.0], 2)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("a", r"one number per sample\. Got 'a' \(str\)\. Pass a list"),
        ({}, r"Got {} \(dict\)\. Pass its values .*list\(sample_weight\.values\(\)\)"),
        ({1, 2, 3}, r"\(set\)\. A set has no order"),
        ((1.0 for _ in "abc"), r"\(generator\).*list\(sample_weight\)"),
        (["a", 1, 1], r"must contain numbers\. Got 'a' \(str\) in row 0"),
        ([1, b"1", 1], r"Got b'1' \(bytes\) in row 1"),
        ([1, {}, 1], r"Got {} \(dict\) in row 1"),
        ([1, [1, 2], 1], "same number of values for each sample"),
        (np.array([1, 2, 3], "m8[D]"), r"Got values of dtype timedelta64\[D\]\. Conv"),
        (np.ma.masked_array([1, 2, 3], [0, 1, 0]), "masked values in row 1"),
        ([1, np.ma.masked, 1], "masked values in row 1"),
        (sparse.csr_array([[1, 2, 3]]), r"must be dense\. .*toarray\(\)"),
    ],
)
def test_weights_that_are_not_numbers_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weights, 3)


def test_a_masked_array_without_masked_values_is_an_array():
    assert check_weights(np.ma.masked_array(WEIGHTS), 3).tolist() == WEIGHTS
