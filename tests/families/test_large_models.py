"""In every family, what saves memory in training."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sklearn_bert import BertClassifier


@pytest.fixture
def make(family):
    """Return a function that makes a quick classifier."""

    def make(**changes):
        options = {"n_epochs": 2, "batch_size": 8, "dtype": "float32"}
        options |= {"learning_rate": 1e-3, "random_state": 0}
        return BertClassifier(family.folder, **{**options, **changes})

    return make


@pytest.fixture
def labels():
    return np.arange(24) % 2


def test_gradient_checkpointing_gives_the_same_weights(make, texts, labels):
    expected = make().fit(texts[:24], labels)
    found = make(gradient_checkpointing=True).fit(texts[:24], labels)
    for name, weight in expected.encoder_.weights.items():
        np.testing.assert_allclose(
            found.encoder_.weights[name], weight, rtol=0, atol=1e-6, err_msg=name
        )


@pytest.mark.parametrize("freeze", [None, 2])
def test_an_adapter_is_trained_and_merged(make, family, texts, labels, freeze):
    pytest.importorskip("peft")
    if (family.name, freeze) == ("ALBERT", 2):
        pytest.skip("its layers share their weights")
    options = {"dropout": 0.0, "dtype": "float64", "freeze": freeze}
    # The loss is then that of the metric.
    options["contrastive"] = 0.0
    fitted = make(adapter="lora", learning_rate=1e-2, **options)
    fitted.fit(texts[:24], labels)
    assert all(up.any() for up in fitted.adapter_.up.values())
    chances = fitted.predict_proba(texts[:24])
    # So low a rate changes nothing: the loss is that of the model before merging.
    fitted.set_params(warm_start=True, learning_rate=1e-14, n_epochs=1)
    fitted.fit(texts[:24], labels)
    assert fitted.loss_curve_[0] == pytest.approx(log_loss(labels, chances), rel=1e-5)
