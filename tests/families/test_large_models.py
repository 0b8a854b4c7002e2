"""In every family, what saves memory in training."""

import numpy as np
import pytest

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
