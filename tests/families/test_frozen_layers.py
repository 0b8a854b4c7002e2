"""In every family, a training that starts above its frozen layers learns the same."""

import numpy as np
import pytest

from sklearn_bert import BertClassifier
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.encoding.frozen import shared
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays
from sklearn_bert._fine_tuning import trainable


@pytest.fixture
def fit(family, texts, monkeypatch):
    """Return a function that fits with room for some bytes of frozen layers' output.

    It also tells for how many frozen parts there is an output.
    """
    # The layers of ALBERT share their weights.
    freeze = "encoder" if family.name == "ALBERT" else 2

    def fit(n_bytes, dtype, init="probe"):
        kept = EncoderCache(lambda *_: KeptArrays(n_bytes, 0))
        monkeypatch.setattr(shared, "KEPT", kept)
        fitted = BertClassifier(
            family.folder,
            freeze=freeze,
            n_epochs=2,
            batch_size=8,
            dtype=dtype,
            init=init,
            random_state=0,
        ).fit(texts[:24], np.arange(24) % 2)
        return {**fitted.encoder_.weights, "coef": fitted.coef_}, len(kept)

    return fit


def assert_equal(found, expected, atol):
    for name, weight in expected.items():
        np.testing.assert_allclose(found[name], weight, rtol=0, atol=atol, err_msg=name)


def test_weights_with_and_without_reuse_are_equal(fit):
    (expected, n_parts), (found, _) = fit(0, "float32"), fit(2**20, "float32")
    assert n_parts == 1
    assert_equal(found, expected, atol=1e-6)


def test_weights_are_those_of_computing_all_layers_in_every_step(fit, monkeypatch):
    # In float32, in which the linear probe always is, the last digits of products
    # depend on how they are computed.
    found, n_parts = fit(2**20, "float64", init="zeros")
    assert n_parts == 1
    monkeypatch.setattr(trainable, "compute_frozen_once", lambda trained, *_: trained)
    expected, n_parts = fit(2**20, "float64", init="zeros")
    assert n_parts == 0
    assert_equal(found, expected, atol=1e-9)
