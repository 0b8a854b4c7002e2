"""A quick classifier on the tiny BERT, and labels to learn."""

import numpy as np
import pytest

from sklearn_bert import BertClassifier


@pytest.fixture(scope="session")
def labels(texts):
    """Three labels that depend on words in the texts."""
    return np.array(
        ["long" if len(t) > 80 else "good" if "good" in t else "other" for t in texts]
    )


@pytest.fixture(scope="session")
def indicators(texts):
    return np.array([[len(t) > 60, "a" in t.split(), "e" in t] for t in texts], int)


@pytest.fixture(scope="session")
def make(tiny_bert):
    """Return a function that makes a quick classifier."""

    def make(**changes):
        # The same dtype everywhere, so that no test depends on the machine.
        options = {"n_epochs": 2, "learning_rate": 1e-3, "random_state": 0}
        options["dtype"] = "float32"
        return BertClassifier(tiny_bert, **{**options, **changes})

    return make


@pytest.fixture(scope="session")
def fitted(make, texts, labels):
    return make().fit(texts, labels)


@pytest.fixture(scope="session")
def fitted_multilabel(make, texts, indicators):
    return make().fit(texts, indicators)
