"""The message about values that are not finite."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.runtime.finite import check_finite
from sklearn_bert.exceptions import NonFiniteError


def message_of(values, dtype=torch.float32, owners=None):
    with pytest.raises(NonFiniteError) as caught:
        check_finite(np.array(values), "Outputs", dtype=dtype, owners=owners)
    return str(caught.value)


def test_finite_values_are_accepted():
    check_finite(np.ones((3, 2)), "Outputs", dtype=torch.float32)
    check_finite(np.ones((0, 2)), "Outputs", dtype=torch.float32)


def test_the_rows_are_named():
    message = message_of([[1, np.nan], [1, 2], [np.inf, np.nan]])
    assert message.startswith(
        "Outputs must be finite numbers. Got NaN or infinity for 2 of 3 rows of X, "
        "rows 0, 2. "
    )


def test_the_first_of_many_rows_are_named():
    assert "5 of 5 rows of X, rows 0, 1, 2 first." in message_of([[np.nan]] * 5)


def test_several_values_of_one_row_of_x_count_once():
    values, owners = [[np.nan], [np.nan], [1.0]], np.array([4, 4, 7])
    assert "1 of 2 rows of X, row 4." in message_of(values, owners=lambda: owners)


@pytest.mark.parametrize(
    ("dtype", "remedy"),
    [
        (torch.float16, "Set dtype='float32', since products of the weights are too"),
        (torch.bfloat16, "Set dtype='float64', since"),
        (torch.float32, "Set dtype='float64', since"),
        (torch.float64, "Choose another model, or fit this one again, since"),
    ],
)
def test_the_remedy_depends_on_the_dtype(dtype, remedy):
    assert remedy in message_of([[np.nan]], dtype)
