"""What transformers give, and how they name it."""

import numpy as np
import pandas as pd
import polars as pl
import sklearn

from contract.checking import rewrites
from contract.comparing import assert_same

FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


@rewrites("transformer_general", kind="transformer")
def fit_transform_is_fit_then_transform(subject):
    estimator = subject.fit()
    expected = estimator.transform(subject.X)
    assert expected.shape[0] == len(subject.X)
    fresh = subject.make()
    for _ in range(2):
        result = fresh.fit_transform(subject.X, subject.y)
        assert_same(result, expected, atol=1e-9)


@rewrites("set_output_transform", kind="transformer")
def default_output_changes_nothing(subject):
    plain = subject.fit().transform(subject.X)
    estimator = subject.make()
    assert estimator.set_output(transform="default") is estimator
    result = estimator.fit(subject.X, subject.y).transform(subject.X)
    assert_same(result, plain)


@rewrites(
    "set_output_transform_pandas", "set_output_transform_polars", kind="transformer"
)
def frames_are_given_where_asked_for(subject):
    for container in FRAMES:
        estimator = subject.make().set_output(transform=container)
        fitted = estimator.fit_transform(subject.X, subject.y)
        _assert_frame(fitted, container, subject)
        _assert_frame(estimator.transform(subject.X), container, subject)


@rewrites(
    "global_output_transform_pandas",
    "global_set_output_transform_polars",
    kind="transformer",
)
def frames_are_given_where_configured(subject):
    estimator = subject.fit()
    for container in FRAMES:
        with sklearn.config_context(transform_output=container):
            frame = estimator.transform(subject.X)
        _assert_frame(frame, container, subject)


def _assert_frame(frame, container, subject):
    plain = subject.fit()
    assert isinstance(frame, FRAMES[container])
    assert list(frame.columns) == list(plain.get_feature_names_out())
    np.testing.assert_array_equal(frame.to_numpy(), plain.transform(subject.X))


@rewrites("set_output_transform_pandas", kind="transformer of texts")
def pandas_output_keeps_the_index(subject):
    index = [f"row{i}" for i in range(len(subject.X))]
    frame = pd.DataFrame({"text": subject.X}, index=index)
    estimator = subject.make().set_output(transform="pandas")
    features = estimator.fit(frame, subject.y).transform(frame)
    assert isinstance(features, pd.DataFrame)
    assert features.index.tolist() == index


@rewrites("transformer_get_feature_names_out", kind="transformer")
def every_feature_has_a_name_of_its_own(subject):
    estimator = subject.fit()
    names = estimator.get_feature_names_out()
    assert names.dtype == object
    assert all(isinstance(name, str) for name in names)
    assert len(set(names)) == estimator.transform(subject.X).shape[1]


@rewrites(
    "transformer_get_feature_names_out_pandas",
    "transformer_get_feature_names_out",
    kind="transformer of texts",
)
def names_are_those_of_the_fit(subject):
    estimator = subject.fit(pd.DataFrame({"text": subject.X}))
    expected = estimator.get_feature_names_out()
    assert list(estimator.get_feature_names_out(["text"])) == list(expected)
