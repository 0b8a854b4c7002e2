"""What classifiers make of y, and how their answers agree with each other."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from contract.checking import rewrites
from contract.comparing import (
    assert_same,
    assert_same_outputs,
    outputs,
    value_error_of,
)


def is_first(subject):
    """Return whether a text has the first class: a problem of two classes."""
    return np.asarray(subject.y) == np.unique(subject.y)[0]


@rewrites("classifiers_train", kind="classifier")
def what_can_be_learned_is_learned(subject):
    for y in (np.asarray(subject.y), is_first(subject).astype(int)):
        estimator = subject.fit(subject.X, y)
        predicted = estimator.predict(subject.X)
        assert predicted.shape == (len(subject.X),)
        assert (predicted == y).mean() > 0.83
        _assert_answers_agree(estimator, subject.X, predicted)


def _assert_answers_agree(estimator, X, predicted):
    classes = estimator.classes_
    scores = estimator.decision_function(X)
    if len(classes) == 2:
        assert scores.shape == (len(X),)
        np.testing.assert_array_equal(classes[(scores > 0).astype(int)], predicted)
    else:
        assert scores.shape == (len(X), len(classes))
        np.testing.assert_array_equal(classes[scores.argmax(axis=1)], predicted)
    chances = estimator.predict_proba(X)
    assert chances.shape == (len(X), len(classes))
    np.testing.assert_array_equal(classes[chances.argmax(axis=1)], predicted)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)
    logarithms = estimator.predict_log_proba(X)
    np.testing.assert_allclose(logarithms, np.log(chances), rtol=1e-8, atol=1e-9)


@rewrites("classifiers_train", "regressors_train", kind="supervised")
def a_y_of_another_length_is_refused(subject):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        subject.make().fit(subject.X, subject.y[:-1])


@rewrites("classifiers_classes", kind="classifier")
def labels_of_any_type_come_back(subject):
    codes = np.unique(subject.y, return_inverse=True)[1]
    two = is_first(subject).astype(int)
    for values, places in (
        (np.array(["one", "two", "three"]), codes),
        (np.array(["one", "two", "three"], dtype=object), codes),
        (np.array([7, -3, 5]), codes),
        (np.array([2.0, 5.0, 9.0]), codes),
        (np.array(["one", "two"]), two),
        (np.array([-1, 1]), two),
        (np.array([False, True]), two),
    ):
        y = values[places]
        estimator = subject.fit(subject.X, y)
        assert_same(estimator.classes_, np.unique(y))
        predicted = estimator.predict(subject.X)
        assert predicted.dtype == y.dtype
        assert (predicted == y).mean() > 0.83
        _assert_answers_agree(estimator, subject.X, predicted)


@rewrites("classifiers_one_label", kind="classifier")
def one_class_is_refused_or_always_predicted(subject):
    _assert_one_class_only(subject, np.full(len(subject.X), "same"), None)


@rewrites("classifiers_one_label_sample_weights", kind="classifier")
def one_class_of_weight_is_refused_or_always_predicted(subject):
    y = np.where(is_first(subject), "gone", "same")
    _assert_one_class_only(subject, y, (y == "same").astype(float))


def _assert_one_class_only(subject, y, weights):
    estimator = subject.make()
    error = value_error_of(lambda: estimator.fit(subject.X, y, sample_weight=weights))
    if error is None:
        assert set(estimator.predict(subject.X)) == {"same"}
    else:
        assert "class" in error


@rewrites("classifiers_regression_target", kind="classifier")
def continuous_targets_are_refused(subject):
    y = np.random.RandomState(0).normal(size=len(subject.X))
    with pytest.raises(ValueError, match=r"Unknown label type: |continuous"):
        subject.fit(subject.X, y)


@rewrites("supervised_y_no_nan", kind="words")
def tags_that_are_missing_are_refused(subject):
    y = subject.y.copy()
    y[1] = [np.nan, *y[1][1:]]
    with pytest.raises(ValueError, match="NaN"):
        subject.fit(subject.X, y)


@rewrites("supervised_y_no_nan", kind="supervised texts")
def targets_that_are_not_numbers_are_refused(subject):
    for value in (np.nan, np.inf, -np.inf):
        y = np.ones(len(subject.X))
        y[1] = value
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            subject.fit(subject.X, y)


@rewrites("supervised_y_2d", kind="classifier")
def a_column_of_labels_is_taken_with_a_warning(subject):
    expected = outputs(subject.fit(), subject.X)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        estimator = subject.fit(subject.X, np.asarray(subject.y).reshape(-1, 1))
    assert_same_outputs(outputs(estimator, subject.X), expected)


@rewrites("class_weight_classifiers", kind="classifier")
def a_heavy_class_is_predicted(subject):
    # Labels that do not go by the texts, so that weights alone decide.
    y = np.random.RandomState(0).permutation(np.arange(len(subject.X)) % 3)
    for heavy in range(3):
        weights = {label: 1000 if label == heavy else 0.0001 for label in range(3)}
        estimator = subject.fit(subject.X, y, class_weight=weights)
        assert (estimator.predict(subject.X) == heavy).mean() > 0.87


@rewrites("decision_proba_consistency", kind="classifier")
def scores_and_probabilities_have_one_order(subject):
    estimator = subject.fit(subject.X, is_first(subject))
    scores = estimator.decision_function(subject.X)
    chances = estimator.predict_proba(subject.X)[:, 1]
    in_order = np.argsort(scores, kind="stable")
    assert (np.diff(chances[in_order]) >= 0).all()
    assert len(np.unique(chances)) > 2


@rewrites("classifiers_multilabel_representation_invariance", kind="multilabel")
def representations_of_indicators_give_equal_labels(subject):
    expected = subject.fit().predict(subject.X)
    y = np.asarray(subject.y)
    for other in (y.tolist(), list(y), y.astype(bool), y.astype(float)):
        assert_same(subject.fit(subject.X, other).predict(subject.X), expected)
    for kind in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array):
        predicted = subject.fit(subject.X, kind(y)).predict(subject.X)
        assert sparse.issparse(predicted)
        assert_same(predicted.toarray(), expected)


@rewrites("classifiers_multilabel_output_format_predict", kind="multilabel")
def labels_have_the_form_of_y(subject):
    predicted = subject.fit().predict(subject.X)
    assert isinstance(predicted, np.ndarray)
    assert (predicted.shape, predicted.dtype) == (subject.y.shape, subject.y.dtype)
    assert set(np.unique(predicted)) == {0, 1}
    assert (predicted == subject.y).mean() > 0.83


@rewrites("classifiers_multilabel_output_format_predict_proba", kind="multilabel")
def every_label_has_a_probability(subject):
    estimator = subject.fit()
    chances = estimator.predict_proba(subject.X)
    assert chances.shape == subject.y.shape
    assert chances.dtype.kind == "f"
    assert ((chances >= 0) & (chances <= 1)).all()
    np.testing.assert_array_equal(chances > 0.5, estimator.predict(subject.X))


@rewrites("classifiers_multilabel_output_format_decision_function", kind="multilabel")
def every_label_has_a_score(subject):
    estimator = subject.fit()
    scores = estimator.decision_function(subject.X)
    assert scores.shape == subject.y.shape
    assert scores.dtype.kind == "f"
    np.testing.assert_array_equal(scores > 0, estimator.predict(subject.X))
