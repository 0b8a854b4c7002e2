"""What sample_weight does."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from contract.checking import rewrites
from contract.comparing import assert_same_outputs, outputs
from contract.containers import NotAnArray


def weights_of(subject):
    """Return weights of 1 and 2."""
    return 1 + np.arange(len(subject.X)) % 2


def fit_weighted(subject, weights, X=None, y=None, **changes):
    X, y = subject.X if X is None else X, subject.y if y is None else y
    return subject.make(**changes).fit(X, y, sample_weight=weights)


def from_equal_starts(subject):
    """Return parameters under which two trainings differ by nothing but rounding."""
    return {"init": "zeros"} if "init" in subject.make().get_params() else {}


@rewrites(
    "sample_weights_pandas_series",
    "sample_weights_not_an_array",
    "sample_weights_list",
    kind="weighted",
)
def containers_of_weights_give_equal_results(subject):
    weights = weights_of(subject)
    expected = outputs(fit_weighted(subject, weights), subject.X)
    for kind in (
        weights.tolist(),
        NotAnArray(weights),
        pd.Series(weights, index=range(len(weights), 0, -1)),
        pd.Series(weights, index=[0] * len(weights)),
        pl.Series(weights),
    ):
        again = outputs(fit_weighted(subject, kind), subject.X)
        assert_same_outputs(again, expected)


@rewrites("sample_weights_shape", kind="weighted")
def weights_of_another_shape_are_refused(subject):
    for shape in (len(subject.X) - 1, 2 * len(subject.X), (len(subject.X), 2)):
        with pytest.raises(ValueError, match=r"(?i)sample.?weight"):
            fit_weighted(subject, np.ones(shape))


@rewrites("sample_weights_not_overwritten", kind="weighted")
def weights_are_left_as_they_are(subject):
    weights = weights_of(subject).astype(float)
    fit_weighted(subject, weights)
    np.testing.assert_array_equal(weights, weights_of(subject))


@rewrites("all_zero_sample_weights_error", kind="weighted")
def weights_of_nothing_are_refused(subject):
    with pytest.raises(ValueError, match=r"[Ww]eight.*zero|zero.*[Ww]eight"):
        fit_weighted(subject, np.zeros(len(subject.X)))


@rewrites("sample_weight_equivalence_on_dense_data", kind="weighted")
def weight_two_is_the_text_twice_and_zero_leaves_it_out(subject):
    start = from_equal_starts(subject)
    weights = np.arange(len(subject.X)) % 3
    rows = np.repeat(np.arange(len(subject.X)), weights)
    X, y = [subject.X[i] for i in rows], [subject.y[i] for i in rows]
    repeated = subject.fit(X, y, **start)
    weighted = fit_weighted(subject, weights, **start)
    assert_same_outputs(
        outputs(weighted, subject.X), outputs(repeated, subject.X), atol=1e-9
    )


@rewrites("sample_weight_equivalence_on_dense_data", kind="weighted")
def weights_make_a_difference(subject):
    """Without this, ignored weights of 1 or nothing would go unseen."""
    plain, weighted = subject.fit(), fit_weighted(subject, weights_of(subject))
    with pytest.raises(AssertionError):
        assert_same_outputs(outputs(weighted, subject.X), outputs(plain, subject.X))
