"""Fits with an adapter: what they change, how they continue, and what is refused."""

import pickle

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.base import clone
from sklearn.metrics import log_loss

from sklearn_bert import BertClassifier, BertRegressor, BertTokenClassifier
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.encoding.frozen import shared
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays
from sklearn_bert._engine.encoding.fused import FusedBackend
from sklearn_bert._fine_tuning import adapter as adapter_module
from sklearn_bert.exceptions import CheckpointMismatchError

pytest.importorskip("peft")
RATE = 1e-2


@pytest.fixture
def make_adapted(make):
    """Return a function that makes a quick classifier with an adapter."""
    options = {"adapter": "lora", "learning_rate": RATE, "dtype": "float32"}
    return lambda **changes: make(**{**options, **changes})


def assert_same(found, expected, atol=0.0):
    for name, weight in expected.encoder_.weights.items():
        np.testing.assert_allclose(
            found.encoder_.weights[name], weight, rtol=0, atol=atol, err_msg=name
        )
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=0, atol=atol)


# --- what is trained ----------------------------------------------------------------


@pytest.mark.parametrize("freeze", [None, "embeddings", 1])
def test_the_encoder_is_its_base_with_the_adapter(
    make_adapted, texts, labels, tiny_bert, freeze
):
    fitted = make_adapted(freeze=freeze, lora_rank=4).fit(texts, labels)
    adapter, weights = fitted.adapter_, fitted.encoder_.weights
    layers = {name.split(".")[2] for name in adapter.down}
    assert layers == ({"1", "2"} if freeze == 1 else {"0", "1", "2"})
    start = load_file(tiny_bert / "model.safetensors")
    for name, weight in weights.items():
        layer = name.removesuffix(".weight")
        if layer in adapter.down:
            assert adapter.down[layer].shape[0] == 4
            change = adapter.scale * adapter.up[layer] @ adapter.down[layer]
            assert abs(change).max() > 0
            np.testing.assert_allclose(weight, start[name] + change, atol=1e-6)
        else:
            np.testing.assert_array_equal(weight, start[name])


def test_predictions_are_those_of_the_model_in_training(make_adapted, texts, labels):
    options = {"dropout": 0.0, "dtype": "float64", "warm_start": True}
    fitted = make_adapted(contrastive=0, **options).fit(texts, labels)
    chances = fitted.predict_proba(texts)
    fitted.set_params(learning_rate=1e-14, n_epochs=1).fit(texts, labels)
    assert fitted.loss_curve_[0] == pytest.approx(log_loss(labels, chances), rel=1e-6)


def test_it_learns(make_adapted, texts, labels):
    options = {"n_epochs": 15, "init": "zeros", "layer_decay": 1.0}
    assert make_adapted(**options).fit(texts, labels).score(texts, labels) > 0.9


def test_declared_modules_are_not_trained(own_bert, declare, texts, labels):
    import torch

    weights = {"linear.weight": torch.rand(4, 32), "linear.bias": torch.rand(4)}
    sizes = {"in_features": 32, "out_features": 4}
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    declare(own_bert, pooling, ("Dense", sizes, weights))
    classifier = BertClassifier(own_bert, adapter="lora", n_epochs=1, random_state=0)
    found = classifier.fit(texts, labels).encoder_.module_weights
    assert {x.shape for x in found.values()} == {(4, 32), (4,)}
    kept = {x.shape: x.numpy() for x in weights.values()}
    for x in found.values():
        np.testing.assert_array_equal(x, kept[torch.Size(x.shape)])


@pytest.mark.parametrize(
    "options",
    [
        {"gradient_checkpointing": True},
        {"freeze": 1, "gradient_checkpointing": True},
    ],
    ids=str,
)
def test_it_works_with_gradient_checkpointing(make_adapted, texts, labels, options):
    found = make_adapted(**options).fit(texts, labels)
    expected = make_adapted(**{**options, "gradient_checkpointing": False})
    assert_same(found, expected.fit(texts, labels), atol=1e-6)


def test_frozen_layers_are_computed_once(make_adapted, texts, labels, monkeypatch):
    calls, layer = [], FusedBackend._apply

    def apply(self, *args):
        calls.append(type(self))
        return layer(self, *args)

    monkeypatch.setattr(FusedBackend, "_apply", apply)
    monkeypatch.setattr(shared, "KEPT", EncoderCache(lambda *_: KeptArrays()))
    make_adapted(freeze=2, n_epochs=1).fit(texts, labels)
    n_calls = len(calls)
    make_adapted(freeze=2, n_epochs=9).fit(texts, labels)
    assert n_calls > 0
    assert calls.count(FusedBackend) == n_calls


def test_early_stopping_keeps_the_best_adapter(make_adapted, texts, labels):
    fitted = make_adapted(early_stopping=True, n_epochs=4).fit(texts, labels)
    assert len(fitted.validation_scores_) > 0


@pytest.mark.parametrize(
    ("adapter", "rate"), [(None, 2e-4), ("lora", 2e-3)], ids=["without", "with"]
)
def test_the_learning_rate_of_an_adapter_is_higher(make, texts, labels, adapter, rate):
    fitted = make(adapter=adapter, learning_rate="auto", n_epochs=1).fit(texts, labels)
    assert fitted.learning_rate_ == pytest.approx(rate)


def test_all_that_fine_tune_have_adapters(tiny_bert, texts):
    options = {"adapter": "lora", "n_epochs": 1, "random_state": 0}
    regressor = BertRegressor(tiny_bert, **options).fit(texts, np.arange(40.0))
    assert len(regressor.adapter_.down) == 18
    words = [text.split() for text in texts]
    tags = [[len(word) % 2 for word in one] for one in words]
    tagger = BertTokenClassifier(tiny_bert, **options).fit(words, tags)
    assert len(tagger.adapter_.down) == 18
    assert len(tagger.predict(words)) == 40


def test_a_fitted_estimator_can_be_the_base(make, texts, labels):
    base = make().fit(texts, labels)
    options = {"adapter": "lora", "warm_start": True, "random_state": 0}
    fitted = BertClassifier(base, **options).fit(texts, labels)
    name = "embeddings.word_embeddings.weight"
    np.testing.assert_array_equal(
        fitted.encoder_.weights[name], base.encoder_.weights[name]
    )
    fitted.fit(texts, labels)


def test_only_the_adapter_has_an_optimizer_state(make_adapted, texts, labels):
    fitted = make_adapted(lora_rank=1).partial_fit(texts, labels, [False, True])
    moments = fitted._optimizer_state["moments"]
    n_numbers = sum(x.size for name, x in moments.items() if "lora_" in name)
    adapter = fitted.adapter_
    n_weights = sum(x.size for x in (*adapter.down.values(), *adapter.up.values()))
    assert 2 * n_weights <= n_numbers < 2.1 * n_weights
    assert all("lora_" in name or "head" in name for name in moments)


# --- other fits ----------------------------------------------------------------------


def test_a_refit_equals_a_fresh_fit(make_adapted, texts, labels):
    expected = make_adapted().fit(texts, labels)
    refitted = make_adapted(lora_rank=2).fit(texts[:20], labels[:20])
    assert_same(refitted.set_params(lora_rank=8).fit(texts, labels), expected)


def test_a_clone_equals_the_original(make_adapted, texts, labels):
    fitted = make_adapted().fit(texts, labels)
    assert clone(fitted).get_params()["adapter"] == "lora"
    assert_same(clone(fitted).fit(texts, labels), fitted)


def test_a_fit_without_an_adapter_forgets_it(make_adapted, make, texts, labels):
    fitted = make_adapted(learning_rate=1e-3).fit(texts, labels)
    fitted.set_params(adapter=None).fit(texts, labels)
    assert fitted.adapter_ is None
    assert_same(fitted, make(dtype="float32").fit(texts, labels))


def test_a_pickle_contains_all_weights(make_adapted, texts, labels, own_bert):
    fitted = make_adapted().set_params(model=own_bert).fit(texts, labels)
    expected = fitted.predict_proba(texts)
    data = pickle.dumps(fitted)
    for file in own_bert.iterdir():
        file.unlink()
    again = pickle.loads(data)
    np.testing.assert_array_equal(again.predict_proba(texts), expected)
    assert again.adapter_.rank == 8


# --- continued training --------------------------------------------------------------


def test_a_warm_start_continues_with_the_adapter(make_adapted, texts, labels):
    fitted = make_adapted(warm_start=True).fit(texts, labels)
    before, chances = fitted.adapter_, fitted.predict_proba(texts)
    fitted.set_params(learning_rate=1e-12).fit(texts, labels)
    np.testing.assert_allclose(fitted.predict_proba(texts), chances, atol=1e-5)
    for name, up in before.up.items():
        np.testing.assert_allclose(fitted.adapter_.up[name], up, atol=1e-6)


def test_partial_fit_is_an_epoch_of_a_fit(make_adapted, texts, labels):
    options = {"n_epochs": 1, "init": "zeros", "schedule": "constant", "warmup": 0.0}
    expected = make_adapted(contrastive=0, **options).fit(texts, labels)
    found = make_adapted().partial_fit(texts, labels, classes=[False, True])
    assert_same(found, expected, atol=1e-7)


def test_partial_fit_continues_where_a_pickle_left_off(make_adapted, texts, labels):
    fitted = make_adapted().partial_fit(texts, labels, classes=[False, True])
    again = pickle.loads(pickle.dumps(fitted))
    fitted.partial_fit(texts, labels)
    assert_same(again.partial_fit(texts, labels), fitted)
    assert fitted.n_iter_ == 2


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {"adapter": None}, "Got adapter=None"),
        ({"adapter": None}, {"adapter": "lora"}, "Got adapter='lora', lora_rank=8"),
        ({}, {"lora_rank": 4}, "lora_rank=8. Got adapter='lora', lora_rank=4"),
        ({}, {"freeze": 1}, r"18 linear layers. Got freeze=1.*change 12"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_continuing_with_another_adapter_is_refused(
    make_adapted, texts, labels, before, after, found, method
):
    options = {"warm_start": True, "n_epochs": 1, **before}
    fitted = make_adapted(**options).fit(texts, labels)
    with pytest.raises(ValueError, match=rf"previous fit.*{found}.*warm_start=False"):
        getattr(fitted.set_params(**after), method)(texts, labels)
    assert fitted.predict(texts).shape == (40,)


def test_continuing_on_another_base_is_refused(
    make_adapted, texts, labels, own_bert, save_model
):
    fitted = make_adapted(warm_start=True, n_epochs=1).set_params(model=own_bert)
    fitted.fit(texts, labels)
    save_model(own_bert, initializer_range=0.2)
    with pytest.raises(CheckpointMismatchError, match=r"model\.safetensors differs"):
        fitted.fit(texts, labels)


# --- refused -------------------------------------------------------------------------


@pytest.mark.parametrize("freeze", ["encoder", 3])
def test_frozen_layers_cannot_be_adapted(make_adapted, texts, labels, freeze):
    with pytest.raises(ValueError, match=rf"adapter must be None if all.*{freeze!r}"):
        make_adapted(freeze=freeze).fit(texts, labels)


def test_a_model_without_linear_layers_is_named(
    make_adapted, texts, labels, tiny_bert, monkeypatch
):
    monkeypatch.setattr(adapter_module, "find_targets", lambda *_: ())
    with pytest.raises(ValueError, match=rf"without linear layers.*{tiny_bert}"):
        make_adapted().fit(texts, labels)
