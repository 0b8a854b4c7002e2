"""The base model is found through the estimators in between."""

import numpy as np
import pytest
from saving.cases import QUICK, TEXTS
from sklearn.frozen import FrozenEstimator

from sklearn_bert import BertRegressor, BertVectorizer
from sklearn_bert._sharing.origin import find_base, record_of_export

Y = np.arange(12.0)


def base_of(estimator):
    return find_base(estimator, estimator._export())


@pytest.mark.parametrize(
    "name",
    [
        "classes of texts",
        "a number",
        "tags",
        "features",
        "ids",
        "a continued model",
        "features without fit",
        "features of a classifier",
        "a classifier as model",
    ],
)
def test_the_checkpoint_is_found_in_every_estimator(fitted, name):
    assert base_of(fitted(name)).name == "tiny-bert"


@pytest.mark.parametrize(
    "name", ["a new model", "features of a new model", "counts of a learned vocabulary"]
)
def test_what_was_trained_from_nothing_has_no_base(fitted, name):
    assert base_of(fitted(name)) is None


def test_another_model_than_that_of_the_fit_is_not_taken_for_it(fitted):
    first, second = fitted("a continued model"), fitted("a new model")
    regressor = BertRegressor(FrozenEstimator(first), **QUICK).fit(TEXTS, Y)
    assert base_of(regressor).name == "tiny-bert"
    for other in (FrozenEstimator(second), "tiny-bert", BertVectorizer()):
        assert base_of(regressor.set_params(model=other)) is None


def test_a_vectorizer_without_fit_has_the_record_of_its_model(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert)
    record = record_of_export(vectorizer, vectorizer._export())
    assert record == BertVectorizer(tiny_bert).fit(TEXTS).checkpoint_
