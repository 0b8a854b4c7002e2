"""Fine-tuning reads, trains and keeps the modules that a checkpoint declares."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from sklearn_bert import BertClassifier, BertRegressor, BertVectorizer, load

OPTIONS = {"n_epochs": 1, "random_state": 0, "device": "cpu"}
# So small that no weight changes.
STILL = {**OPTIONS, "learning_rate": 1e-30}


@pytest.fixture
def folder(own_bert, declare):
    """The tiny BERT with means, a Dense, a LayerNorm and a Normalize."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(shape, generator=generator) / 4

    declare(
        own_bert,
        {"pooling_mode": "mean"},
        (
            "Dense",
            {"in_features": 32, "out_features": 12},
            {"linear.weight": draw(12, 32), "linear.bias": draw(12)},
        ),
        (
            "LayerNorm",
            {"dimension": 12},
            {"norm.weight": 1 + draw(12), "norm.bias": draw(12)},
        ),
        ("Normalize", {}, {}),
    )
    return own_bert


@pytest.fixture
def y(texts):
    return np.arange(len(texts)) % 3


def module_weights(estimator):
    return estimator.encoder_.module_weights


@pytest.mark.parametrize("freeze", [None, "embeddings", "encoder"])
def test_training_starts_from_the_features_of_the_vectorizer(folder, texts, y, freeze):
    features = BertVectorizer(folder).transform(texts)
    classifier = BertClassifier(folder, freeze=freeze, **STILL).fit(texts, y)
    assert features.shape == (40, 12)
    np.testing.assert_allclose(classifier.transform(texts), features, atol=1e-6)
    assert classifier.get_feature_names_out().shape == (12,)


def test_the_probe_is_a_logistic_regression_on_these_features(folder, texts, y):
    classifier = BertClassifier(folder, freeze="encoder", **STILL).fit(texts, y)
    features = BertVectorizer(folder).transform(texts)
    expected = LogisticRegression().fit(features, y).predict_proba(features)
    np.testing.assert_allclose(classifier.predict_proba(texts), expected, atol=5e-3)


def test_modules_are_trained_with_the_encoder(folder, texts, y):
    options = {**OPTIONS, "learning_rate": 1e-3, "n_epochs": 2}
    before = module_weights(BertClassifier(folder, **STILL).fit(texts, y))
    trained = module_weights(BertClassifier(folder, **options).fit(texts, y))
    frozen = BertClassifier(folder, freeze="encoder", **options).fit(texts, y)
    assert sorted(before) == [
        "0.linear.bias",
        "0.linear.weight",
        "1.norm.bias",
        "1.norm.weight",
    ]
    for name, weights in before.items():
        assert not np.array_equal(weights, trained[name])
        np.testing.assert_array_equal(weights, module_weights(frozen)[name])


def test_a_trained_encoder_declares_the_modules_that_were_trained(folder, texts):
    regressor = BertRegressor(folder, **OPTIONS).fit(texts, np.arange(40.0))
    expected = regressor.transform(texts)
    for model in (regressor, pickle.loads(pickle.dumps(regressor))):
        for normalize in (False, "auto"):
            found = BertVectorizer(model, normalize=normalize).transform(texts)
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_training_goes_on_with_its_modules(folder, texts, y):
    classifier = BertClassifier(folder, warm_start=True, **OPTIONS).fit(texts, y)
    before = module_weights(classifier)["0.linear.weight"]
    after = module_weights(classifier.fit(texts, y))["0.linear.weight"]
    assert not np.array_equal(before, after)
    again = BertClassifier(classifier, **STILL).fit(texts, y)
    np.testing.assert_allclose(
        again.transform(texts), classifier.transform(texts), atol=1e-6
    )


def test_partial_fits_keep_the_moments_of_modules(folder, texts, y):
    classifier = BertClassifier(folder, random_state=0)
    for _ in range(2):
        classifier.partial_fit(texts, y, classes=[0, 1, 2])
    assert classifier.transform(texts).shape == (40, 12)


@pytest.mark.parametrize("pooling", ["max", "cls"])
def test_another_pooling_drops_the_modules(folder, texts, y, pooling):
    classifier = BertClassifier(folder, pooling=pooling, **STILL).fit(texts, y)
    expected = BertVectorizer(folder, pooling=pooling).transform(texts)
    np.testing.assert_allclose(classifier.transform(texts), expected, atol=1e-6)
    assert module_weights(classifier) is None
    assert BertVectorizer(classifier).fit(texts).pooling_ == pooling


def test_pairs_are_compared_without_modules(folder, texts):
    pairs = list(zip(texts[:20], texts[20:], strict=True))
    regressor = BertRegressor(folder, **STILL).fit(pairs, np.arange(20.0))
    expected = BertVectorizer(folder).transform(pairs)
    assert expected.shape == (20, 128)
    np.testing.assert_allclose(regressor.transform(pairs), expected, atol=1e-6)


def test_validation_and_windows_go_through_the_modules(folder, texts, y):
    options = {"long_text": "window", "max_length": 8, "early_stopping": True}
    classifier = BertClassifier(folder, **options, **STILL).fit(texts, y)
    vectorizer = BertVectorizer(folder, long_text="window", max_length=8)
    expected = vectorizer.transform(texts)
    np.testing.assert_allclose(classifier.transform(texts), expected, atol=1e-5)


@pytest.fixture
def with_layers(folder, weigh_layers):
    """The same with a weighted mean of the two last layers."""
    weigh_layers(folder, torch.tensor([2.0, -0.5]))
    return folder


@pytest.mark.parametrize("freeze", [None, 2, "encoder"])
def test_training_starts_from_the_weighted_layers(with_layers, texts, y, freeze):
    features = BertVectorizer(with_layers).transform(texts)
    classifier = BertClassifier(with_layers, freeze=freeze, **STILL).fit(texts, y)
    np.testing.assert_allclose(classifier.transform(texts), features, atol=1e-6)


def test_a_trained_encoder_keeps_the_weights_of_layers(with_layers, texts, tmp_path):
    options = {**OPTIONS, "warm_start": True, "early_stopping": True}
    regressor = BertRegressor(with_layers, **options)
    for _ in range(2):
        regressor.fit(texts, np.arange(40.0))
    expected = regressor.transform(texts)
    regressor.save(tmp_path / "saved")
    loaded = load(tmp_path / "saved")
    for model in (regressor, pickle.loads(pickle.dumps(regressor)), loaded):
        found = BertVectorizer(model).transform(texts)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_allclose(model.transform(texts), expected, atol=1e-6)
    assert regressor.encoder_.architecture.layer_weights == (2.0, -0.5)
