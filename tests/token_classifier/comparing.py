"""When two fitted taggers, or what they give, count as equal."""

import numpy as np


def assert_same(first, second, tolerance=0.0):
    expected = {**second.encoder_.weights, "coef": second.coef_}
    for name, value in {**first.encoder_.weights, "coef": first.coef_}.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=tolerance)


def assert_close(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
