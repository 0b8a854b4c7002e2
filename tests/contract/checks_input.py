"""What X may be, and what is said about the rest."""

import copy
import tempfile

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from contract.checking import rewrites
from contract.comparing import assert_same, assert_same_outputs, outputs
from contract.containers import NotAnArray, as_objects, containers, spoilt


def callers(subject):
    """Return all functions that take X: fit, and the methods of a fitted estimator."""
    fitted = subject.fit()
    methods = [getattr(fitted, name) for name in subject.methods]
    return [lambda X: subject.make().fit(X, subject.y), *methods]


@rewrites(
    "estimators_dtypes",
    "transformer_data_not_an_array",
    "classifier_data_not_an_array",
    "regressor_data_not_an_array",
    "f_contiguous_array_estimator",
    "dtype_object",
)
def containers_give_equal_results(subject):
    expected = outputs(subject.fit(), subject.X)
    for name, convert in containers(subject).items():
        X = convert(subject.X)
        for method, value in outputs(subject.fit(X, subject.y), X).items():
            assert_same(value, expected[method], f"{method} of {name}")


@rewrites(
    "classifier_data_not_an_array", "regressor_data_not_an_array", kind="supervised"
)
def containers_of_y_give_equal_results(subject):
    expected = outputs(subject.fit(), subject.X)
    y = list(subject.y)
    if getattr(subject.y, "ndim", 1) == 2:
        kinds = [np.asarray(y).tolist(), pd.DataFrame(y, index=[0] * len(y))]
    elif "words" in subject.kinds:
        kinds = [y, as_objects(y), pd.Series(y, index=[0] * len(y))]
    else:
        kinds = [y, as_objects(y), pd.Series(y, index=range(len(y), 0, -1))]
        kinds += [pd.Series(y, index=[0] * len(y)), pl.Series(y), NotAnArray(y)]
    for kind in kinds:
        again = outputs(subject.fit(subject.X, kind), subject.X)
        assert_same_outputs(again, expected)


@rewrites(
    "readonly_memmap_input", "transformer_general", "classifiers_train", kind="texts"
)
def read_only_memory_maps_are_read(subject):
    expected = outputs(subject.fit(), subject.X)
    X, y = _mapped(np.array(subject.X)), subject.y
    if y is not None:
        y = _mapped(np.asarray(y))
    assert_same_outputs(outputs(subject.fit(X, y), X), expected)


def _mapped(array):
    """Return a read-only array in a file."""
    with tempfile.NamedTemporaryFile() as file:
        array.tofile(file.name)
        return np.memmap(file.name, dtype=array.dtype, mode="r", shape=array.shape)


@rewrites("inplace_ensure_writeable")
def what_it_is_given_stays_as_it_is(subject):
    for convert in (list, as_objects):
        X, y = convert(subject.X), copy.deepcopy(subject.y)
        outputs(subject.fit(X, y), X)
        assert_same(list(X), list(subject.X))
        if y is not None:
            assert_same(y, subject.y)


@rewrites("estimators_nan_inf", "dtype_object", "estimators_empty_data_messages")
def what_is_not_text_is_named_with_its_row(subject):
    bad = [None, float("nan"), pd.NA, float("inf"), 3, 2j, b"bytes", {"foo": "bar"}]
    for caller in callers(subject):
        for value in bad:
            with pytest.raises(ValueError, match=r"\b1\b"):
                caller(spoilt(subject, value))


@rewrites("estimators_empty_data_messages")
def no_samples_are_refused(subject):
    for caller in callers(subject):
        for X in ([], as_objects([])):
            with pytest.raises(ValueError, match=r"0 sample\(s\)"):
                caller(X)


@rewrites("estimators_empty_data_messages", "fit2d_1feature", kind="texts")
def no_columns_are_refused(subject):
    for caller in callers(subject):
        with pytest.raises(ValueError, match="Got 0 columns"):
            caller(np.empty((len(subject.X), 0)))


@rewrites("estimator_sparse_array")
def sparse_numbers_are_refused(subject):
    for caller in callers(subject):
        for kind in (sparse.csr_array, sparse.csr_matrix, sparse.coo_array):
            with pytest.raises(ValueError, match=r"[Ss]parse"):
                caller(kind(np.eye(len(subject.X))))


@rewrites("fit2d_predict1d", kind="texts")
def a_bare_text_is_refused(subject):
    for caller in callers(subject):
        with pytest.raises(
            ValueError, match="Iterable over raw text documents expected"
        ):
            caller("a text")


@rewrites("dataframe_column_names_consistency", kind="pairs")
def column_names_are_remembered_and_compared(subject):
    pairs = pd.DataFrame({"a": subject.X, "b": subject.X[::-1]})
    estimator = subject.fit(pairs)
    assert hasattr(estimator, "feature_names_in_")
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    assert estimator.feature_names_in_.dtype == object
    for name in subject.methods:
        method = getattr(estimator, name)
        method(pairs)
        with pytest.raises(ValueError, match="must be in the same order"):
            method(pairs[["b", "a"]])
        with pytest.raises(ValueError, match="Feature names unseen at fit time"):
            method(pairs.rename(columns={"a": "c"}))
