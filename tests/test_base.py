"""What may be the model of an estimator: a fitted one, too."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)
from sklearn_bert.exceptions import CheckpointError

OPTIONS = {"n_epochs": 1, "learning_rate": 1e-3, "random_state": 0}


@pytest.fixture(scope="module")
def targets(texts):
    return [float(len(text)) for text in texts]


@pytest.fixture(scope="module")
def classifier(tiny_bert, texts):
    labels = [len(text) > 60 for text in texts]
    return BertClassifier(tiny_bert, **OPTIONS).fit(texts, labels)


@pytest.fixture(scope="module")
def regressor(tiny_bert, texts, targets):
    return BertRegressor(tiny_bert, **OPTIONS).fit(texts, targets)


@pytest.fixture(scope="module")
def tagger(tiny_bert, texts):
    words = [text.split() for text in texts]
    tags = [["long" if len(word) > 3 else "short" for word in some] for some in words]
    return BertTokenClassifier(tiny_bert, **OPTIONS).fit(words, tags)


@pytest.mark.parametrize("wrap", [lambda x: x, FrozenEstimator])
@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_a_vectorizer_gives_the_fine_tuned_features(name, wrap, texts, request):
    model = request.getfixturevalue(name)
    np.testing.assert_array_equal(
        BertVectorizer(wrap(model)).transform(texts), model.transform(texts)
    )


def test_a_vectorizer_pools_as_the_fine_tuning_did(tiny_bert, texts):
    labels = [len(text) > 60 for text in texts]
    model = BertClassifier(tiny_bert, pooling="max", **OPTIONS).fit(texts, labels)
    vectorizer = BertVectorizer(model).fit(texts)
    assert vectorizer.pooling_ == "max"
    np.testing.assert_array_equal(vectorizer.transform(texts), model.transform(texts))


def test_a_vectorizer_reads_the_encoder_of_a_tagger(tagger, tiny_bert, texts):
    features = BertVectorizer(tagger).fit_transform(texts)
    assert features.shape == (40, 32)
    assert not np.allclose(features, BertVectorizer(tiny_bert).transform(texts))


def test_fine_tuning_starts_from_it(classifier, texts, targets):
    # So low a rate changes nothing.
    started = BertRegressor(classifier, **{**OPTIONS, "learning_rate": 1e-12})
    started.fit(texts, targets)
    for name, array in classifier.encoder_.weights.items():
        np.testing.assert_allclose(started.encoder_.weights[name], array, atol=1e-6)
    assert started.checkpoint_.model == "BertClassifier"


def test_pretraining_starts_from_it(classifier, texts):
    masked_lm = BertMaskedLM(classifier, max_steps=1, learning_rate=1e-12)
    masked_lm.fit(texts)
    for name, array in classifier.encoder_.weights.items():
        np.testing.assert_allclose(masked_lm.encoder_.weights[name], array, atol=1e-6)


def test_a_tokenizer_takes_its_vocabulary(classifier, tiny_bert, texts):
    np.testing.assert_array_equal(
        BertTokenizer(classifier).fit_transform(texts),
        BertTokenizer(tiny_bert).fit_transform(texts),
    )


def test_one_that_is_not_fitted_says_so(classifier, texts):
    with pytest.raises(
        NotFittedError, match="BertClassifier that is not fit"
    ) as caught:
        BertVectorizer(clone(classifier)).fit(texts)
    assert isinstance(caught.value, CheckpointError)


@pytest.mark.parametrize("estimator", [BertVectorizer, BertTokenizer, BertClassifier])
@pytest.mark.parametrize("wrap", [lambda model: model, FrozenEstimator])
def test_a_class_is_no_model(estimator, wrap):
    with pytest.raises(CheckpointError, match="Got the class BertClassifier"):
        estimator(wrap(BertClassifier)).fit(["good", "bad"], [0, 1])


@pytest.mark.parametrize("estimator", [BertVectorizer, BertTokenizer, BertClassifier])
@pytest.mark.parametrize("model", [LogisticRegression(), BertVectorizer(), 3])
def test_what_cannot_be_a_model_is_told_what_can(estimator, model):
    with pytest.raises(ValueError, match=r"or a fitted BertClassifier, BertRegressor"):
        estimator(model).fit(["good", "bad"], [0, 1])


def test_an_attribute_of_the_users_own_is_no_fit(tiny_bert):
    classifier = BertClassifier(tiny_bert)
    classifier.note_ = "mine"
    with pytest.raises(NotFittedError):
        classifier.predict(["a text"])


def test_a_pickle_that_lacks_newer_parameters_does_as_before(tiny_bert):
    vectorizer = BertVectorizer(str(tiny_bert), prompt=None).fit(["a film"])
    older = copy.copy(vectorizer)
    for name in ("prompt", "missing", "truncate_dim"):
        del older.__dict__[name]
    again = pickle.loads(pickle.dumps(older))
    assert again.get_params() == vectorizer.get_params()
    assert vars(again).keys() == vars(vectorizer).keys()


class OneParameter(BertVectorizer):
    def __init__(self, model=None):
        super().__init__(model, prompt=None)


def test_a_pickle_of_a_subclass_lacks_parameters_of_its_parent(tiny_bert):
    vectorizer = OneParameter(str(tiny_bert))
    older = copy.copy(vectorizer)
    for name in ("prompt", "missing", "truncate_dim"):
        del older.__dict__[name]
    again = pickle.loads(pickle.dumps(older))
    assert vars(again) == vars(vectorizer)


@pytest.mark.skipif(
    not hasattr(LogisticRegression, "_get_fitted_attr_html"),
    reason="scikit-learn shows fitted attributes since version 1.9",
)
def test_html_shows_the_checkpoint_the_device_and_the_dtype_of_fit(classifier):
    html = classifier._repr_html_()
    shown = [
        "&lt;tiny-bert&gt;",
        "&lt;layers: 3, features: 32&gt;",
        "device_",
        "dtype_",
    ]
    assert [value for value in shown if value not in html] == []
