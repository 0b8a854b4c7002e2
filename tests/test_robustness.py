"""BertClassifier when something goes wrong, or goes on at the same time."""

import numpy as np
import pytest

from sklearn_bert import BertClassifier
from sklearn_bert._engine.tokenization import TextTokenizer


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


def test_the_probe_reads_the_tokens_of_the_training(make, texts, labels, monkeypatch):
    tokenize, calls = TextTokenizer.__call__, []

    def watching(self, first, *args, **options):
        calls.append(len(first))
        return tokenize(self, first, *args, **options)

    monkeypatch.setattr(TextTokenizer, "__call__", watching)
    make().fit(texts, labels)
    assert calls == [40]
