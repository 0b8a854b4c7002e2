"""BertMaskedLM follows the conventions of scikit-learn estimators."""

import pickle

import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from masked_lm.making import SENTENCES, assert_same_weights, make
from sklearn_bert.exceptions import (
    InputError,
)


def test_fit_changes_no_parameter_and_a_refit_is_a_fresh_fit():
    model = make(max_steps=2)
    before = model.get_params()
    model.fit(SENTENCES).fit(SENTENCES[:20])
    assert model.get_params() == before
    assert_same_weights(model, clone(model).fit(SENTENCES[:20]))


def test_a_failed_fit_keeps_the_previous_one(fitted):
    model = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(InputError):
        model.fit(["a", None])
    assert_same_weights(model, fitted)


def test_unfitted_estimators_are_refused(tmp_path):
    for call in (
        lambda: make().score(["a"]),
        lambda: make().fill_mask(["[MASK]"]),
        lambda: make().save_pretrained(tmp_path / "x"),
    ):
        with pytest.raises(ValueError, match="not fitted yet"):
            call()


def test_the_column_of_a_frame_is_read(fitted):
    frame = pd.DataFrame({"text": SENTENCES})
    model = make(max_steps=1).fit(frame)
    assert model.feature_names_in_.tolist() == ["text"]
    other = pd.DataFrame({"other": ["the [MASK]"]})
    for call in (model.score, model.fill_mask):
        with pytest.raises(ValueError, match="feature names"):
            call(other)


def test_grid_search_scores_by_likelihood():
    search = GridSearchCV(make(n_epochs=2), {"learning_rate": [1e-6, 1e-2]}, cv=2)
    assert search.fit(SENTENCES).best_params_ == {"learning_rate": 1e-2}
