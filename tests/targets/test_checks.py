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
