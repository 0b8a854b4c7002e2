"""Weights in bfloat16."""

import numpy as np
import torch

from sklearn_bert._saving.bfloat16 import halve_all, widen_all

NUMBERS = np.array([0.0, -0.0, 1.0, 1 / 3, -1e-30, 3e38, np.inf, np.nan], np.float32)


def test_floats_are_rounded_as_torch_rounds_them():
    found = widen_all(halve_all({"x": NUMBERS}))["x"]
    expected = torch.tensor(NUMBERS).to(torch.bfloat16).float().numpy()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    assert np.array_equal(np.signbit(found), np.signbit(expected))


def test_the_dtype_returns():
    double = NUMBERS[:3].astype(np.float64)
    found = widen_all(halve_all({"x": double}))["x"]
    assert found.dtype == np.float64
    assert np.array_equal(found, double)


def test_integers_are_kept():
    integers = np.arange(5)
    assert widen_all(halve_all({"x": integers}))["x"] is integers
