"""What is done with a scikit-learn that lacks a private name."""

from types import SimpleNamespace

import numpy as np
import pytest
import sklearn
from sklearn.utils import validation

from sklearn_bert import BertVectorizer, _sklearn_compat

NAMED = SimpleNamespace(n_features_in_=2, feature_names_in_=np.array(["a", "b"]))
UNNAMED = SimpleNamespace(n_features_in_=2)
BOTH = pytest.mark.parametrize("has_name", [True, False])


@pytest.fixture
def lack(monkeypatch):
    """Return a function that takes a private name from scikit-learn."""

    def lack(name, has_name):
        if not has_name:
            monkeypatch.delattr(validation, name)

    return lack


@BOTH
def test_names_of_the_fit_pass(lack, has_name):
    lack("_check_feature_names_in", has_name)
    for names in (None, ["a", "b"], np.array(["a", "b"], dtype=object)):
        _sklearn_compat.check_feature_names_in(NAMED, names)


@BOTH
@pytest.mark.parametrize(
    ("estimator", "names", "match"),
    [
        (NAMED, ["b", "a"], "is not equal to feature_names_in_"),
        (UNNAMED, ["a"], r"number of features \(2\), got"),
    ],
)
def test_other_names_are_refused(lack, has_name, estimator, names, match):
    lack("_check_feature_names_in", has_name)
    with pytest.raises(ValueError, match=match):
        _sklearn_compat.check_feature_names_in(estimator, names)


@BOTH
def test_a_column_of_labels_becomes_flat(lack, has_name):
    lack("_check_y", has_name)
    labels = _sklearn_compat.check_label_column(["a", "b"], BertVectorizer())
    assert labels.tolist() == ["a", "b"]
    with pytest.warns(sklearn.exceptions.DataConversionWarning):
        labels = _sklearn_compat.check_label_column(np.ones((3, 1)), BertVectorizer())
    assert labels.shape == (3,)


@BOTH
def test_labels_that_are_not_finite_are_refused(lack, has_name):
    lack("_check_y", has_name)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        _sklearn_compat.check_label_column([1.0, np.nan], BertVectorizer())


@BOTH
@pytest.mark.parametrize(
    ("given", "weights"),
    [(None, [1, 1]), (3, [3, 3]), ([1, 0], [1, 0]), (np.array([0.5, 2]), [0.5, 2])],
)
def test_weights_are_floats(lack, has_name, given, weights):
    lack("_check_sample_weight", has_name)
    found = _sklearn_compat.check_sample_weight(given, 2)
    assert found.dtype == np.float64
    assert found.tolist() == weights


@BOTH
@pytest.mark.parametrize(
    ("given", "match"),
    [
        ([1.0], "expected"),
        ([[1.0], [2.0]], "sample_weight|Sample weights"),
        ([-1.0, 1.0], "Negative values"),
        ([np.nan, 1.0], "Input sample_weight contains NaN"),
    ],
)
def test_weights_that_are_none_are_refused(lack, has_name, given, match):
    lack("_check_sample_weight", has_name)
    with pytest.raises(ValueError, match=match):
        _sklearn_compat.check_sample_weight(given, 2)


def test_the_container_is_that_of_the_estimator_or_of_the_configuration():
    vectorizer = BertVectorizer()
    with sklearn.config_context(transform_output="polars"):
        assert _sklearn_compat.output_container(vectorizer) == "polars"
        vectorizer.set_output(transform="pandas")
        assert _sklearn_compat.output_container(vectorizer) == "pandas"
        del vectorizer._sklearn_output_config
        assert _sklearn_compat.output_container(vectorizer) == "polars"
