"""Tiny models, texts to learn from, and comparison of weights."""

from functools import cache

import numpy as np

from sklearn_bert import BertMaskedLM

TINY = {
    "n_layers": 1,
    "hidden_size": 16,
    "n_heads": 2,
    "vocab_size": 120,
    "batch_tokens": 256,
    "learning_rate": 3e-3,
    "device": "cpu",
    "dtype": "float32",
    "random_state": 0,
}
SENTENCES = [
    f"the {a} {b} was {c}"
    for a in ("old", "new")
    for b in ("film", "story")
    for c in ("good", "bad")
] * 12


def make(**changes):
    return BertMaskedLM(**{**TINY, **changes})


@cache
def fit_once():
    """Return a model that has learned; tests must not change it."""
    return make(n_epochs=60, vocab_size=60, learning_rate=1e-2).fit(SENTENCES)


def weights_of(estimator):
    return {**estimator.encoder_.weights, **estimator._masked_model.head}


def assert_same_weights(first, second):
    first, second = weights_of(first), weights_of(second)
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array, err_msg=name)
