"""What callbacks may be."""

import numpy as np
import pytest

from sklearn_bert._params.callbacks import FUNCTIONS


@pytest.mark.parametrize("callbacks", [[], (print,), [print, len], {print}])
def test_collections_of_functions_are_callbacks(callbacks):
    assert FUNCTIONS.is_satisfied_by(callbacks)


@pytest.mark.parametrize(
    "callbacks",
    [
        *(print, "print", b"", 1, list, {}, {"a": print}),
        *([print, 1], [None], [[print]], np.array(print), (f for f in [print])),
    ],
)
def test_other_values_are_not(callbacks):
    assert not FUNCTIONS.is_satisfied_by(callbacks)
