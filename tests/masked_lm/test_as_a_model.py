"""A fitted BertMaskedLM is a model for the other estimators."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from masked_lm.making import SENTENCES, make
from sklearn_bert import (
    BertClassifier,
    BertRegressor,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)
from sklearn_bert.exceptions import (
    CheckpointError,
    CheckpointMismatchError,
)


@pytest.mark.parametrize("wrap", [lambda x: x, FrozenEstimator])
def test_every_estimator_accepts_a_fitted_one(fitted, wrap):
    model = wrap(fitted)
    labels = ["good" in text for text in SENTENCES]
    features = BertVectorizer(model).fit_transform(SENTENCES)
    assert features.shape == (len(SENTENCES), 16)
    classifier = BertClassifier(
        model, pooling="mean", learning_rate=2e-3, random_state=0
    )
    assert classifier.fit(SENTENCES, labels).score(SENTENCES, labels) == 1
    assert classifier.checkpoint_.source == "estimator"
    ids = BertTokenizer(model).fit_transform(SENTENCES[:1])
    assert ids[0, 0] == fitted.vocabulary_["[CLS]"]


@pytest.mark.parametrize("kind", ["bare", "frozen", "folder"])
def test_a_regressor_and_a_tagger_start_from_its_weights(fitted, tmp_path, kind):
    model = FrozenEstimator(fitted) if kind == "frozen" else fitted
    if kind == "folder":
        model = tmp_path / "model"
        fitted.save_pretrained(model)
    words = [text.split() for text in SENTENCES]
    tags = [["X" if word == "film" else "O" for word in some] for some in words]
    # This learning rate is too low to change the weights.
    options = {"learning_rate": 1e-12, "n_epochs": 1, "random_state": 0}
    for estimator in (
        BertRegressor(model, **options).fit(SENTENCES, range(len(SENTENCES))),
        BertTokenClassifier(model, **options).fit(words, tags),
    ):
        assert estimator.encoder_.weights.keys() == fitted.encoder_.weights.keys()
        for name, array in fitted.encoder_.weights.items():
            np.testing.assert_allclose(
                estimator.encoder_.weights[name], array, atol=1e-6
            )
    assert estimator.predict(words[:1])[0] == tags[0]


def test_a_classifier_of_a_frozen_one_can_be_searched(fitted):
    labels = ["good" in text for text in SENTENCES]
    search = GridSearchCV(
        BertClassifier(FrozenEstimator(fitted), random_state=0),
        {"n_epochs": [1, 2]},
        cv=2,
        error_score="raise",
    )
    best = search.fit(SENTENCES, labels).best_estimator_
    assert best.checkpoint_.source == "estimator"
    assert best.encoder_.weights.keys() == fitted.encoder_.weights.keys()


def test_a_tilde_is_expanded(fitted, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    fitted.save_pretrained("~/model")
    assert (tmp_path / "model" / "config.json").exists()


def test_a_folder_that_is_not_empty_is_refused(fitted, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match=r"folder must not exist, .* contains 'file'"):
        fitted.save_pretrained(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_error_for_a_clone_recommends_freezing(fitted):
    labels = ["good" in text for text in SENTENCES]
    bare = clone(BertVectorizer(fitted))
    with pytest.raises(CheckpointError, match=r"sklearn\.frozen\.FrozenEstimator"):
        bare.fit(SENTENCES)
    pipeline = make_pipeline(BertVectorizer(fitted), LogisticRegression())
    with pytest.raises(ValueError, match=r"sklearn\.frozen\.FrozenEstimator"):
        cross_val_score(pipeline, SENTENCES, labels, cv=2, error_score="raise")


def test_a_pipeline_of_a_frozen_one_can_be_searched(fitted):
    labels = ["good" in text for text in SENTENCES]
    pipeline = make_pipeline(
        BertVectorizer(FrozenEstimator(fitted)), LogisticRegression()
    )
    search = GridSearchCV(pipeline, {"bertvectorizer__pooling": ["cls", "mean"]}, cv=2)
    assert search.fit(SENTENCES, labels).best_score_ == 1


def test_a_vectorizer_refuses_a_model_that_was_fitted_again():
    model = make(max_steps=1).fit(SENTENCES)
    vectorizer = BertVectorizer(model).fit(SENTENCES)
    model.set_params(random_state=1).fit(SENTENCES)
    with pytest.raises(CheckpointMismatchError, match="weights differs"):
        vectorizer.transform(SENTENCES)


def test_an_estimator_that_is_not_a_model_is_refused():
    with pytest.raises(ValueError, match="The 'model' parameter of BertVectorizer"):
        BertVectorizer(LogisticRegression()).fit(["a"])


def test_a_pickle_is_complete(fitted, tmp_path):
    saved = tmp_path / "vectorizer.pickle"
    saved.write_bytes(pickle.dumps((fitted, BertVectorizer(fitted).fit(SENTENCES))))
    code = (
        "import pickle, sys; model, vectorizer = pickle.load(open(sys.argv[1], 'rb')); "
        "print(model.score(['the old film']), vectorizer.transform(['the'])[0, 0])"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", code, saved],
        capture_output=True,
        text=True,
        check=True,
    )
    score, feature = map(float, run.stdout.split())
    assert score == pytest.approx(fitted.score(["the old film"]), abs=1e-6)
    expected = BertVectorizer(fitted).transform(["the"])[0, 0]
    assert feature == pytest.approx(expected, abs=1e-6)
