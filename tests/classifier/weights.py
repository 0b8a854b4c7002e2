"""When two fitted classifiers count as equal."""

import numpy as np

# Settings under which equal weights are exact, rather than equal but for rounding.
EXACT = {"dtype": "float64", "dropout": 0.0, "batch_size": 999, "n_epochs": 2}


def weights_of(classifier):
    return {
        **classifier.encoder_.weights,
        "coef": classifier.coef_,
        "intercept": classifier.intercept_,
    }


def assert_same_weights(first, second, tolerance=0.0):
    expected = weights_of(second)
    for name, value in weights_of(first).items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=tolerance)
