"""In every family, a training that starts above its frozen layers learns the same."""

import numpy as np
import pytest

from sklearn_bert import BertClassifier
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.encoding.frozen import shared
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays


@pytest.fixture
def fit(family, texts, monkeypatch):
    """Return a function that fits with room for some bytes of frozen layers' output."""
    # The layers of ALBERT share their weights.
    freeze = "encoder" if family.name == "ALBERT" else 2
    classifier = BertClassifier(
        family.folder,
        freeze=freeze,
        n_epochs=2,
        batch_size=8,
        dtype="float32",
        random_state=0,
    )

    def fit(n_bytes):
        kept = EncoderCache(lambda *_: KeptArrays(n_bytes, 0))
        monkeypatch.setattr(shared, "KEPT", kept)
        fitted = classifier.fit(texts[:24], np.arange(24) % 2)
        assert len(kept) == 1
        return {**fitted.encoder_.weights, "coef": fitted.coef_}

    return fit


def test_weights_with_and_without_reuse_are_equal(fit):
    expected, found = fit(0), fit(2**20)
    for name, weight in expected.items():
        np.testing.assert_allclose(found[name], weight, rtol=0, atol=1e-6, err_msg=name)
