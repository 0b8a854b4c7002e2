"""A training starts above its frozen layers where it can, with the same result."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_bert import BertClassifier, BertRegressor, BertTokenClassifier
from sklearn_bert._engine.encoding.backends import MiddleStart
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.encoding.frozen import shared
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays
from sklearn_bert._engine.training.model import layer_depth
from sklearn_bert._fine_tuning import trainable

OPTIONS = {"n_epochs": 2, "random_state": 0, "batch_size": 8}


@pytest.fixture
def limit(monkeypatch):
    """Return a function that limits what is kept; 0 keeps nothing."""

    def limit(n_bytes):
        cache = EncoderCache(lambda *_: KeptArrays(n_bytes, n_bytes))
        monkeypatch.setattr(shared, "KEPT", cache)

    return limit


@pytest.fixture
def fit_in_every_step(monkeypatch):
    """Return a function that fits and computes all layers in every step."""

    def fit(estimator, X, y):
        with monkeypatch.context() as patch:
            patch.setattr(trainable, "compute_frozen_once", lambda trained, *_: trained)
            return clone(estimator).fit(X, y)

    return fit


def assert_same_weights(a, b, atol):
    for name, expected in a.encoder_.weights.items():
        found = b.encoder_.weights[name]
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol, err_msg=name)
    np.testing.assert_allclose(b.coef_, a.coef_, rtol=0, atol=atol)


@pytest.fixture
def assert_reuse_changes_nothing(limit, fit_in_every_step):
    """Return a function that compares fits without and with reuse."""

    def check(estimator, X, y):
        # In float32, in which the linear probe always is, the last digits of products
        # depend on how they are computed.
        precise = clone(estimator).set_params(dtype="float64", init="zeros")
        expected = fit_in_every_step(precise, X, y)
        limit(2**20)
        assert_same_weights(expected, precise.fit(X, y), atol=1e-9)
        limit(0)
        expected = clone(estimator).fit(X, y)
        # A part of the texts, and then all of them, from what is kept.
        for n_bytes in (20_000, 2**20):
            limit(n_bytes)
            for _ in range(2):
                found = clone(estimator).fit(X, y)
                assert_same_weights(expected, found, atol=1e-6)
            assert found.loss_curve_ == pytest.approx(expected.loss_curve_, abs=1e-6)

    return check


@pytest.mark.parametrize("freeze", [1, 2, "encoder"])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_weights_of_a_classifier_are_the_same(
    assert_reuse_changes_nothing, tiny_bert, texts, freeze, pooling
):
    y = np.arange(len(texts)) % 3
    model = BertClassifier(
        tiny_bert, freeze=freeze, pooling=pooling, dtype="float32", **OPTIONS
    )
    assert_reuse_changes_nothing(model, texts, y)


@pytest.mark.parametrize("freeze", [2, "encoder"])
def test_weights_of_pairs_are_the_same(
    assert_reuse_changes_nothing, tiny_bert, texts, freeze
):
    pairs = list(zip(texts, texts[::-1], strict=True))
    y = np.array([float(len(a) % 7) for a, _ in pairs]) > 3
    model = BertClassifier(tiny_bert, freeze=freeze, dtype="float32", **OPTIONS)
    assert_reuse_changes_nothing(model, pairs, y)


@pytest.mark.parametrize("freeze", [2, "encoder"])
def test_weights_of_windows_are_the_same(
    assert_reuse_changes_nothing, tiny_bert, texts, freeze
):
    y = np.arange(len(texts)) % 2
    windows = {"long_text": "window", "max_length": 12}
    model = BertClassifier(
        tiny_bert, freeze=freeze, dtype="float32", **windows, **OPTIONS
    )
    assert_reuse_changes_nothing(model, texts, y)


@pytest.mark.parametrize("freeze", [2, "encoder"])
def test_weights_of_early_stopping_are_the_same(
    assert_reuse_changes_nothing, tiny_bert, texts, freeze
):
    y = np.arange(len(texts)) % 2
    model = BertClassifier(
        tiny_bert, freeze=freeze, dtype="float32", early_stopping=True, **OPTIONS
    )
    assert_reuse_changes_nothing(model, texts, y)


@pytest.mark.parametrize("freeze", [2, "encoder"])
def test_weights_of_a_tagger_are_the_same(
    assert_reuse_changes_nothing, tiny_bert, texts, freeze
):
    sentences = [text.split() for text in texts if text]
    tags = [["long" if len(word) > 3 else "short" for word in s] for s in sentences]
    model = BertTokenClassifier(tiny_bert, freeze=freeze, dtype="float32", **OPTIONS)
    assert_reuse_changes_nothing(model, sentences, tags)


@pytest.fixture(params=[[1.0, 2.0], [1.0, 2.0, 3.0]], ids=["two", "three"])
def weighted_bert(request, own_bert, declare, weigh_layers):
    """The tiny BERT with weights of layers, three of which read below two layers."""
    declare(own_bert, {"pooling_mode": "mean"})
    weigh_layers(own_bert, torch.tensor(request.param))
    return own_bert


@pytest.mark.parametrize("freeze", [2, "encoder"])
def test_weights_of_a_readout_of_several_layers_are_the_same(
    assert_reuse_changes_nothing, weighted_bert, texts, freeze
):
    model = BertRegressor(weighted_bert, freeze=freeze, dtype="float32", **OPTIONS)
    y = np.array([len(text) for text in texts], dtype=float)
    assert_reuse_changes_nothing(model, texts, y)


def test_a_model_that_cannot_start_in_the_middle_computes_everything(
    save_model, texts, tmp_path, limit
):
    limit(2**20)
    # Its layers are in several lists.
    folder = save_model(
        tmp_path / "xlm", "xlm", emb_dim=32, n_layers=3, n_heads=4, pad_index=0
    )
    y = np.arange(len(texts)) % 2
    BertClassifier(folder, freeze=2, **OPTIONS).fit(texts, y)
    assert len(shared.KEPT) == 0


def test_frozen_layers_that_read_a_trained_weight_are_computed_in_every_step(
    save_model, texts, tmp_path, monkeypatch, limit, fit_in_every_step
):
    # The norm of positions becomes one more part of the last layer.
    monkeypatch.setattr(layer_depth, "_NORM_OF_TABLE", "none")
    limit(2**20)
    folder = save_model(
        tmp_path / "deberta",
        "deberta-v2",
        pad_token_id=0,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        norm_rel_ebd="layer_norm",
    )
    y = np.arange(len(texts)) % 2
    model = BertClassifier(folder, freeze=2, dtype="float64", **OPTIONS)
    expected = fit_in_every_step(model, texts, y)
    assert_same_weights(expected, model.fit(texts, y), atol=1e-9)
    assert len(shared.KEPT) == 0


def test_layers_that_fail_in_the_middle_are_computed_in_every_step(
    save_model, texts, tmp_path, monkeypatch, limit
):
    def fail(self, states):
        raise TypeError

    limit(2**20)
    monkeypatch.setattr(MiddleStart, "passing_on", fail)
    folder = save_model(tmp_path / "modernbert", "modernbert", pad_token_id=0)
    y = np.arange(len(texts)) % 2
    fitted = BertClassifier(folder, freeze=2, **OPTIONS).fit(texts, y)
    assert fitted.predict(texts).shape == y.shape
    assert len(shared.KEPT) == 0
