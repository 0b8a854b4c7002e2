"""The values of the parameters of a fit that are "auto"."""

from dataclasses import replace

import numpy as np
import pytest

from sklearn_bert import BertClassifier, BertRegressor
from sklearn_bert._engine.checkpoints.architecture import read_architecture
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._fine_tuning.recipe import resolve_learning_rate, resolve_n_epochs


@pytest.mark.parametrize(
    ("n_samples", "batch_size", "n_epochs"),
    [
        (6, 32, 20),
        (160, 32, 20),
        (161, 32, 17),
        (500, 32, 7),
        (800, 32, 4),
        (100_000, 32, 4),
        (160, 4, 4),
    ],
)
def test_few_texts_get_more_epochs(n_samples, batch_size, n_epochs):
    assert resolve_n_epochs(n_samples, batch_size) == n_epochs


@pytest.mark.parametrize(("given", "resolved"), [("auto", 20), (2, 2)])
def test_the_number_of_epochs_is_reported(make, texts, labels, given, resolved):
    model = make(n_epochs=given).fit(texts, labels)
    assert model.n_epochs_ == model.n_iter_ == resolved
    assert model.get_params()["n_epochs"] == given


def test_texts_held_out_do_not_count(make, texts, labels):
    model = make(
        n_epochs="auto", batch_size=1, early_stopping=True, validation_fraction=0.5
    )
    assert model.fit(texts, labels).n_epochs_ == 5


def test_a_call_of_partial_fit_is_one_epoch(make, texts, labels):
    model = make(n_epochs="auto").partial_fit(texts, labels, classes=[False, True])
    assert model.n_epochs_ == 1


@pytest.mark.parametrize(
    ("hidden_size", "n_layers", "rate"),
    [
        (32, 2, 2e-4),
        (384, 6, 2e-4),
        (384, 12, 1e-4),
        (768, 12, 5e-5),
        (1024, 24, 1.875e-5),
    ],
)
def test_larger_models_get_lower_learning_rates(tiny_bert, hidden_size, n_layers, rate):
    files = locate(str(tiny_bert), None)
    size = {"hidden_size": hidden_size, "n_layers": n_layers}
    architecture = replace(read_architecture(files), **size)
    assert resolve_learning_rate("auto", architecture, None) == pytest.approx(rate)
    with_adapter = resolve_learning_rate("auto", architecture, "lora")
    assert with_adapter == pytest.approx(10 * rate)


@pytest.mark.parametrize(("given", "resolved"), [("auto", 2e-4), (1e-3, 1e-3)])
def test_the_learning_rate_is_reported(make, texts, labels, given, resolved):
    seen = []
    options = {"schedule": "constant", "warmup": 0.0, "n_epochs": 1}
    model = make(
        learning_rate=given,
        callbacks=[lambda state: seen.append(state.learning_rate)],
        **options,
    ).fit(texts, labels)
    assert model.learning_rate_ == resolved
    assert seen == [pytest.approx(resolved)]
    assert model.get_params()["learning_rate"] == given


# --- the contrastive loss -----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "resolved"),
    [
        ({}, 0.5),
        ({"contrastive": 0.25}, 0.25),
        ({"contrastive": 0}, 0.0),
        ({"freeze": "encoder"}, 0.0),
        ({"freeze": 2}, 0.5),
        # All layers.
        ({"freeze": 3}, 0.0),
    ],
    ids=str,
)
def test_the_fraction_of_the_contrastive_loss_is_reported(
    make, texts, labels, change, resolved
):
    model = make(n_epochs=1, **change).fit(texts, labels)
    assert model.contrastive_ == resolved


def test_many_texts_are_not_contrasted(make, texts, labels, monkeypatch):
    monkeypatch.setattr("sklearn_bert._fine_tuning.recipe._MOST_CONTRASTED", 39)
    assert make(n_epochs=1).fit(texts, labels).contrastive_ == 0


def test_calls_of_partial_fit_do_not_contrast(make, texts, labels):
    model = make().partial_fit(texts, labels, classes=[False, True])
    assert model.contrastive_ == 0


def test_several_labels_are_not_contrasted(tiny_bert, texts):
    y = np.arange(80).reshape(40, 2) % 3 == 0
    model = BertClassifier(tiny_bert, n_epochs=1).fit(texts, y)
    assert model.contrastive_ == 0


def test_asking_to_contrast_several_labels_is_refused(tiny_bert, texts):
    y = np.arange(80).reshape(40, 2) % 3 == 0
    words = "contrastive must be 'auto' or 0 for an indicator matrix.*Got 0.5"
    with pytest.raises(ValueError, match=words):
        BertClassifier(tiny_bert, contrastive=0.5).fit(texts, y)


def test_only_classifiers_contrast(tiny_bert, texts):
    model = BertRegressor(tiny_bert, n_epochs=1).fit(texts, range(40))
    assert not hasattr(model, "contrastive_")
