"""What is accepted as weights, whatever holds them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

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
