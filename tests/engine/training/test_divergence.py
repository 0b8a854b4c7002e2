"""Numbers that are finite no more, and what is said of them."""

import math

import pytest

from sklearn_bert._engine.training.divergence import divergence, find_non_finite


@pytest.mark.parametrize(
    ("loss", "norm", "found"),
    [
        (1.0, 1.0, None),
        (math.nan, 1.0, "loss"),
        (1.0, math.inf, "gradient"),
        (math.inf, math.nan, "loss"),
    ],
)
def test_the_first_number_that_is_not_finite_is_named(loss, norm, found):
    assert find_non_finite(loss, norm) == found


def test_the_error_says_rule_value_and_remedy():
    error = divergence(
        "Loss and gradient",
        "loss was not at",
        kept="weights of the step before",
        step=3,
        n_steps=10,
        learning_rate=0.002,
        factor=0.5,
    )
    assert str(error) == (
        "Loss and gradient must be finite numbers. The loss was not at step 3 of 10, "
        "with a learning rate of 0.001. The weights of the step before are kept. Lower "
        "learning_rate (it is 0.002), raise warmup, or set dtype='float32'."
    )
