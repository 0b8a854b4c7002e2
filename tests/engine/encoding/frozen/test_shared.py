"""Fits and predictions with the same frozen part share what is kept of it."""

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_bert import BertClassifier
from sklearn_bert._engine.encoding import encoder_cache
from sklearn_bert._engine.encoding.backends import PaddedBackend
from sklearn_bert._engine.encoding.encoder_cache import LINGER_SECONDS, EncoderCache
from sklearn_bert._engine.encoding.frozen import shared
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays
from sklearn_bert._engine.encoding.fused import FusedBackend


class Kept(KeptArrays):
    """Counts what is written."""

    n_written = 0

    def write(self, arrays):
        Kept.n_written += len(arrays)
        super().write(arrays)


@pytest.fixture(autouse=True)
def written(monkeypatch):
    """Return a function that tells how much was computed and kept since the last."""
    monkeypatch.setattr(shared, "KEPT", EncoderCache(lambda *_: Kept()))
    Kept.n_written = 0

    def count():
        found, Kept.n_written = Kept.n_written, 0
        return found

    return count


@pytest.fixture
def n_embedded(monkeypatch):
    """Return a list of the number of tokens of each batch that starts at the bottom."""
    counts = []
    embed = FusedBackend._embed

    def counting(self, batch):
        counts.append(len(batch.input_ids))
        return embed(self, batch)

    monkeypatch.setattr(FusedBackend, "_embed", counting)
    return counts


@pytest.fixture
def make(tiny_bert):
    def make(freeze=2, model=tiny_bert, **options):
        return BertClassifier(
            model, freeze=freeze, **{"n_epochs": 2, "random_state": 0, **options}
        )

    return make


@pytest.fixture
def y(texts):
    return np.arange(len(texts)) % 2


@pytest.fixture
def n_distinct(texts):
    return len(set(texts))


def test_epochs_and_the_linear_probe_share(make, texts, y, written, n_distinct):
    make(n_epochs=3).fit(texts, y)
    assert written() == n_distinct


def test_folds_and_parameters_share(make, texts, y, written, n_distinct):
    search = GridSearchCV(make(), {"learning_rate": [1e-4, 1e-3]}, cv=3)
    search.fit(texts, y)
    assert written() == n_distinct


def test_the_validation_split_shares(make, texts, y, written, n_distinct):
    make(early_stopping=True, validation_fraction=0.3).fit(texts, y)
    assert written() == n_distinct


def test_another_depth_is_kept_by_itself(make, texts, y, written, n_distinct):
    make(freeze=2).fit(texts, y)
    make(freeze=1).fit(texts, y)
    assert written() == 2 * n_distinct


def test_another_dtype_is_kept_by_itself(make, texts, y, written, n_distinct):
    make(dtype="float32").fit(texts, y)
    make(dtype="float64").fit(texts, y)
    assert written() == 2 * n_distinct


def test_other_weights_are_kept_by_themselves(
    make, texts, y, written, n_distinct, save_model, tmp_path
):
    make().fit(texts, y)
    other = save_model(tmp_path / "other", initializer_range=0.2)
    make(model=other).fit(texts, y)
    assert written() == 2 * n_distinct


def test_another_readout_shares_states(make, texts, y, written, n_distinct):
    make(pooling="mean").fit(texts, y)
    make(pooling="cls").fit(texts, y)
    assert written() == n_distinct


def test_predictions_start_from_what_is_kept(make, texts, y, n_embedded):
    classifier = make().fit(texts, y)
    # The first call tests the encoder.
    classifier.predict(texts)
    n_embedded.clear()
    classifier.predict(texts)
    assert sum(n_embedded) == 0


def test_predictions_equal_those_of_a_copy_that_starts_at_the_bottom(make, texts, y):
    classifier = make().fit(texts, y)
    copied = pickle.loads(pickle.dumps(classifier))
    for method in ("decision_function", "transform"):
        np.testing.assert_allclose(
            getattr(classifier, method)(texts),
            getattr(copied, method)(texts),
            rtol=0,
            atol=1e-6,
        )


def test_predictions_keep_nothing(make, texts, y, written):
    classifier = make().fit(texts[:20], y[:20])
    written()
    classifier.predict(texts)
    assert written() == 0


def test_predictions_of_other_estimators_drop_nothing(
    make, texts, y, written, monkeypatch
):
    poolings = ("mean", "max", "cls")
    others = [make("encoder", pooling=pooling).fit(texts, y) for pooling in poolings]
    others += [make(freeze).fit(texts, y) for freeze in (1, 3)]
    monkeypatch.setattr(shared, "KEPT", EncoderCache(lambda *_: Kept()))
    # Of the other frozen parts, nothing is kept any more.
    make(2).fit(texts, y)
    for other in others:
        other.predict(texts)
    written()
    make(2).fit(texts, y)
    assert written() == 0
    assert len(shared.KEPT) == 1


def test_texts_of_which_nothing_is_kept_are_predicted_in_ordinary_batches(
    save_model, tmp_path, texts, monkeypatch
):
    options = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
    folder = save_model(tmp_path / "deberta", "deberta-v2", pad_token_id=0, **options)
    classifier = BertClassifier(folder, freeze="encoder", n_epochs=1, random_state=0)
    classifier.fit(texts[:4], [0, 1, 0, 1])
    expected = pickle.loads(pickle.dumps(classifier)).transform(texts)
    classifier.transform(texts)
    sizes, run = [], PaddedBackend._run

    def counting(self, batch, layers):
        sizes.append(len(batch.lengths))
        return run(self, batch, layers)

    monkeypatch.setattr(PaddedBackend, "_run", counting)
    found = classifier.transform(texts)
    assert len(sizes) == 1
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_predictions_after_other_layers_were_trained_do_not_share(
    make, texts, y, n_embedded
):
    classifier = make(warm_start=True).fit(texts, y)
    classifier.set_params(freeze=None).fit(texts, y)
    classifier.predict(texts)
    n_embedded.clear()
    classifier.predict(texts)
    assert sum(n_embedded) > 0


def test_a_warm_start_with_fewer_frozen_layers_shares(
    make, texts, y, written, n_distinct
):
    classifier = make(warm_start=True, freeze=2).fit(texts, y)
    classifier.fit(texts, y)
    assert written() == n_distinct
    make(freeze=1).fit(texts, y)
    classifier.set_params(freeze=1).fit(texts, y)
    assert written() == n_distinct


def test_a_warm_start_with_more_frozen_layers_does_not_share(
    make, texts, y, written, n_distinct
):
    classifier = make(warm_start=True, freeze=1).fit(texts, y)
    classifier.set_params(freeze=2).fit(texts, y)
    make(freeze=2).fit(texts, y)
    assert written() == 3 * n_distinct


def test_calls_of_partial_fit_share(make, texts, y, written, n_distinct):
    classifier = make()
    for _ in range(3):
        classifier.partial_fit(texts, y, classes=[0, 1])
    assert written() == n_distinct


def test_nothing_is_kept_if_nothing_is_frozen(make, texts, y, written):
    make(freeze=None).fit(texts, y)
    make(freeze="embeddings").fit(texts, y)
    assert written() == 0
    assert len(shared.KEPT) == 0


def test_what_is_kept_is_released_some_seconds_after_the_last_use(
    make, texts, y, monkeypatch
):
    now = [1000.0]
    monkeypatch.setattr(encoder_cache, "monotonic", lambda: now[0])
    classifier = make().fit(texts, y)
    gc.collect()
    assert len(shared.KEPT) == 1
    now[0] += LINGER_SECONDS
    gc.collect()
    assert len(shared.KEPT) == 0
    assert clone(classifier).fit(texts, y).score(texts, y) == classifier.score(texts, y)


def test_estimators_that_changed_no_layer_share_one_encoder(make, texts, y, n_embedded):
    first, second = (make(freeze="encoder").fit(texts, y) for _ in range(2))
    expected = first.predict_proba(texts)
    n_embedded.clear()
    assert np.array_equal(second.predict_proba(texts), expected)
    # Not even a test of another encoder.
    assert n_embedded == []


def test_estimators_that_read_other_modules_do_not_share_an_encoder(
    make, texts, y, own_bert, declare
):
    weight = torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    weights = {"linear.weight": weight, "linear.bias": torch.zeros(5)}
    dense = "Dense", {"in_features": 32, "out_features": 5}, weights
    declare(own_bert, {"pooling_mode": "mean"}, dense)
    plain = make("encoder", own_bert, pooling="cls").fit(texts, y)
    declared = make("encoder", own_bert).fit(texts, y)
    assert plain.transform(texts).shape == (40, 32)
    assert declared.transform(texts).shape == (40, 5)


def test_fits_in_threads_share_and_give_the_same_weights(make, texts, y, written):
    with ThreadPoolExecutor(3) as pool:
        fits = [pool.submit(make().fit, texts, y) for _ in range(3)]
        first, *others = (fit.result() for fit in fits)
    assert len(shared.KEPT) == 1
    for other in others:
        for name, weight in first.encoder_.weights.items():
            np.testing.assert_allclose(
                other.encoder_.weights[name], weight, rtol=0, atol=1e-6
            )
