"""What fit leaves behind, and what it leaves alone."""

import inspect
import pickle
import tempfile

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from contract.checking import rewrites
from contract.comparing import (
    assert_same,
    assert_same_outputs,
    joined,
    n_samples_of,
    outputs,
    taken,
    value_error_of,
)


def parameter_hashes(estimator):
    return {name: joblib.hash(value) for name, value in vars(estimator).items()}


@rewrites("fit_score_takes_y")
def fit_and_score_take_y_second(subject):
    estimator = subject.make()
    for name in ("fit", "score", "partial_fit", "fit_predict", "fit_transform"):
        if hasattr(estimator, name):
            parameters = list(inspect.signature(getattr(estimator, name)).parameters)
            assert parameters[1] == "y"
    estimator.fit(subject.X, subject.y)


@rewrites("estimators_overwrite_params")
def fit_keeps_every_parameter(subject):
    estimator = subject.make()
    before = parameter_hashes(estimator)
    estimator.fit(subject.X, subject.y)
    after = parameter_hashes(estimator)
    assert {name: after[name] for name in before} == before


@rewrites("dont_overwrite_parameters")
def fit_sets_only_what_ends_in_an_underscore(subject):
    estimator = subject.make()
    before = dict(vars(estimator))
    after = vars(estimator.fit(subject.X, subject.y))
    public = {x for x in after if not x.startswith("_") and not x.endswith("_")}
    assert public == set(before)
    assert all(after[name] is before[name] for name in public)


@rewrites("estimators_fit_returns_self")
def fit_returns_self(subject):
    estimator = subject.make()
    assert estimator.fit(subject.X, subject.y) is estimator


@rewrites("fit_idempotent")
def a_second_fit_equals_the_first(subject):
    estimator = subject.fit()
    expected = outputs(estimator, subject.X)
    again = outputs(estimator.fit(subject.X, subject.y), subject.X)
    assert_same_outputs(again, expected, rtol=1e-7, atol=1e-9)


@rewrites("fit_check_is_fitted", kind="stateful")
def only_a_fit_makes_it_fitted(subject):
    with pytest.raises(NotFittedError):
        check_is_fitted(subject.make())
    check_is_fitted(subject.fit())
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(subject.fit()))


@rewrites("n_features_in")
def columns_are_counted_by_fit(subject):
    assert not hasattr(subject.make(), "n_features_in_")
    assert subject.fit().n_features_in_ == 1


@rewrites("transformers_unfitted_stateless", kind="stateless")
def nothing_need_be_fitted(subject):
    expected = outputs(subject.fit(), subject.X)
    assert_same_outputs(outputs(subject.make(), subject.X), expected)


@rewrites(
    "n_features_in",
    "n_features_in_after_fitting",
    "estimators_partial_fit_n_features",
    kind="pairs",
)
def pairs_are_two_columns_from_then_on(subject):
    pairs = list(zip(subject.X, reversed(subject.X), strict=True))
    estimator = subject.fit(pairs)
    assert estimator.n_features_in_ == 2
    refused = [getattr(estimator, name) for name in subject.methods]
    if hasattr(estimator, "partial_fit"):
        refused.append(lambda X: estimator.partial_fit(X, subject.y))
    for method in refused:
        with pytest.raises(ValueError, match="expecting 2 features"):
            method(subject.X)


@rewrites("dict_unchanged")
def predicting_changes_no_attribute(subject):
    estimator = subject.fit()
    for method in subject.methods:
        before = dict(vars(estimator))
        getattr(estimator, method)(subject.X)
        assert vars(estimator) == before, method


@rewrites("estimators_pickle")
def pickles_give_the_same_results(subject):
    estimator = subject.fit()
    expected = outputs(estimator, subject.X)
    unwrap_frozen = pickle.loads(pickle.dumps(estimator))
    assert_same_outputs(outputs(unwrap_frozen, subject.X), expected)


@rewrites("estimators_pickle")
def joblib_maps_it_read_only(subject):
    estimator = subject.fit()
    expected = outputs(estimator, subject.X)
    with tempfile.NamedTemporaryFile(suffix=".joblib") as file:
        joblib.dump(estimator, file.name)
        mapped = joblib.load(file.name, mmap_mode="r")
        assert_same_outputs(outputs(mapped, subject.X), expected)


@rewrites("pipeline_consistency")
def a_pipeline_of_one_step_gives_the_same(subject):
    alone = subject.fit()
    piped = make_pipeline(subject.make()).fit(subject.X, subject.y)
    if hasattr(alone, "score"):
        np.testing.assert_allclose(
            alone.score(subject.X, subject.y), piped.score(subject.X, subject.y)
        )
    assert_same_outputs(outputs(piped, subject.X), outputs(alone, subject.X))


@rewrites("fit2d_1sample", kind="per text")
def one_sample_is_enough_or_told_so(subject):
    y = None if subject.y is None else subject.y[:1]
    estimator = subject.make()
    error = value_error_of(lambda: estimator.fit(subject.X[:1], y))
    if error is not None:
        assert any(x in error for x in ("one class", "1 sample", "one sample"))
        return
    for method in subject.methods:
        assert n_samples_of(getattr(estimator, method)(subject.X[:1])) == 1


@rewrites("requires_y_none", kind="supervised")
def a_missing_y_is_asked_for(subject):
    with pytest.raises(ValueError, match="requires y to be passed, but the target y"):
        subject.make().fit(subject.X, None)


@rewrites("methods_subset_invariance", kind="per text")
def one_text_gives_what_it_gives_among_others(subject):
    _assert_each_alone(subject, "float64", rtol=1e-7, atol=1e-7)


@rewrites("methods_subset_invariance", kind="per text")
def one_text_gives_nearly_the_same_in_float32(subject):
    _assert_each_alone(subject, "float32", rtol=0, atol=5e-6)


def _assert_each_alone(subject, dtype, **tolerances):
    estimator = subject.fit(**subject.in_format(dtype))
    for name in subject.methods:
        method = getattr(estimator, name)
        alone = joined([method(subject.X[i : i + 1]) for i in range(len(subject.X))])
        # Labels are compared exactly, so the most probable one stays the same.
        assert_same(alone, method(subject.X), name, **tolerances)


@rewrites("methods_sample_order_invariance", kind="per text")
def results_follow_the_order_of_the_texts(subject):
    _assert_order_kept(subject, "float64", rtol=1e-7, atol=1e-9)


@rewrites("methods_sample_order_invariance", kind="per text")
def results_nearly_follow_the_order_in_float32(subject):
    _assert_order_kept(subject, "float32", rtol=0, atol=5e-6)


def _assert_order_kept(subject, dtype, **tolerances):
    estimator = subject.fit(**subject.in_format(dtype))
    order = np.random.RandomState(0).permutation(len(subject.X))
    shuffled = [subject.X[i] for i in order]
    for name in subject.methods:
        method = getattr(estimator, name)
        expected = taken(method(subject.X), order)
        assert_same(method(shuffled), expected, name, **tolerances)
