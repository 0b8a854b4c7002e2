"""Early stopping, scikit-learn's tools on nested lists, and pickles."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_bert.metrics import entity_f1_scorer
from token_classifier.comparing import assert_close, assert_same


@pytest.mark.parametrize("scoring", [None, entity_f1_scorer])
def test_early_stopping_takes_any_scorer_of_tags(make, sentences, tags, scoring):
    tagger = make(early_stopping=True, scoring=scoring, validation_fraction=0.25)
    tagger.fit(sentences, tags)
    assert len(tagger.validation_scores_) == 2
    assert all(0 <= score <= 1 for score in tagger.validation_scores_)


def test_is_no_classifier_to_scikit_learn(fitted):
    assert not is_classifier(fitted)
    assert fitted.__sklearn_tags__().target_tags.required


def test_grids_are_searched_on_nested_lists(make, sentences, tags):
    search = GridSearchCV(
        make(n_epochs=1),
        {"learning_rate": [1e-12, 1e-3]},
        cv=2,
        scoring=entity_f1_scorer,
    )
    search.fit(sentences, tags)
    assert len(search.predict(sentences)) == 40
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_cross_validation_predicts_every_word_once(make, sentences, tags):
    predicted = cross_val_predict(make(n_epochs=1), sentences, tags, cv=3)
    assert predicted.shape == (40,)
    assert [len(some) for some in predicted] == [len(some) for some in tags]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_cross_validation_runs_in_parallel(make, sentences, tags, backend):
    with joblib.parallel_backend(backend):
        results = cross_validate(
            make(n_epochs=1), sentences, tags, cv=2, n_jobs=2, error_score="raise"
        )
    assert (results["test_score"] > 0.3).all()


def test_stands_at_the_end_of_a_pipeline(make, fitted, sentences, tags):
    lower = FunctionTransformer(_lower)
    pipeline = make_pipeline(lower, make()).fit(sentences, tags)
    assert_same(pipeline[-1], fitted)


def _lower(X):
    return [[word.lower() for word in words] for words in X]


def test_clones_are_not_fitted(fitted, sentences):
    with pytest.raises(NotFittedError):
        clone(fitted).predict(sentences)
    with pytest.raises(NotFittedError):
        clone(fitted).score(None, None)


def test_another_process_predicts_the_same(fitted, sentences, call_elsewhere):
    found = call_elsewhere(fitted, "predict_proba", sentences)
    assert_close(found, fitted.predict_proba(sentences), 1e-6)
