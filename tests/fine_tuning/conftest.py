"""A quick classifier on the tiny BERT, and labels to learn."""

import numpy as np
import pytest

from sklearn_bert import BertClassifier


@pytest.fixture(scope="module")
def labels(texts):
    return np.array([len(text) > 60 for text in texts])


@pytest.fixture(scope="module")
def make(tiny_bert):
    """Return a function that makes a quick classifier."""

    def make(**changes):
        options = {"n_epochs": 2, "learning_rate": 1e-3, "random_state": 0}
        return BertClassifier(tiny_bert, **{**options, **changes})

    return make
