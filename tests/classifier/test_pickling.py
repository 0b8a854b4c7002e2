"""What a pickled BertClassifier holds and needs, and what counts as not fitted."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_bert import BertClassifier


def test_a_pickle_needs_no_checkpoint(own_bert, texts, labels):
    classifier = BertClassifier(own_bert, n_epochs=1).fit(texts, labels)
    saved, expected = pickle.dumps(classifier), classifier.predict_proba(texts)
    for file in own_bert.iterdir():
        file.unlink()
    assert np.array_equal(pickle.loads(saved).predict_proba(texts), expected)


def test_a_pickle_holds_nothing_of_torch(fitted):
    saved = pickle.dumps(fitted)
    assert b"torch" not in saved
    assert b"cuda" not in saved


def test_a_fit_on_a_gpu_loads_where_there_is_none(fitted, texts, monkeypatch):
    unwrap_frozen = pickle.loads(pickle.dumps(fitted))
    unwrap_frozen.device_ = "cuda:0"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert np.array_equal(unwrap_frozen.predict(texts), fitted.predict(texts))


def test_clones_are_not_fitted(fitted, texts):
    with pytest.raises(NotFittedError):
        clone(fitted).predict(texts)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_not_fitted_is_told_before_the_input_is_looked_at(make, method):
    with pytest.raises(NotFittedError):
        getattr(make(), method)(None)


def test_another_process_predicts_the_same(fitted, texts, call_elsewhere):
    found = call_elsewhere(fitted, "predict_proba", texts)
    np.testing.assert_allclose(found, fitted.predict_proba(texts), atol=1e-6)
