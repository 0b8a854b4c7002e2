"""Tiny fitted estimators of every kind."""

import numpy as np
import pytest

from sklearn_bert import BertClassifier, BertRegressor, BertTokenClassifier

OPTIONS = {"n_epochs": 1, "device": "cpu", "random_state": 0}


@pytest.fixture(scope="session")
def fit(tiny_bert, texts):
    """Return a function that fits an estimator of a kind on forty texts."""

    def call(kind="binary", X=None, **options):
        X = texts if X is None else X
        options, rows = {**OPTIONS, **options}, np.arange(len(X))
        if kind == "tagger":
            sentences = [text.split() for text in X]
            tags = [["BIO"[len(word) % 3] for word in words] for words in sentences]
            return BertTokenClassifier(tiny_bert, **options).fit(sentences, tags)
        if kind == "regressor":
            return BertRegressor(tiny_bert, **options).fit(X, 100.0 * rows)
        if kind == "outputs":
            y = np.stack([rows, -rows % 7], axis=1)
            return BertRegressor(tiny_bert, **options).fit(X, y)
        y = {
            "binary": np.array(["down", "up"])[rows % 2],
            "classes": np.array(["a", "b", "c"])[rows % 3],
            "labels": np.stack([rows % 2, rows % 3 > 0, rows % 5 > 1], axis=1),
        }[kind]
        return BertClassifier(tiny_bert, **options).fit(X, y)

    return call


@pytest.fixture(scope="session")
def binary(fit):
    """A classifier with the classes "down" and "up"."""
    return fit("binary")


@pytest.fixture(scope="session")
def tagger(fit):
    """A tagger with the tags "B", "I" and "O"."""
    return fit("tagger")


@pytest.fixture
def plt():
    """The module matplotlib.pyplot, without windows."""
    plt = pytest.importorskip("matplotlib.pyplot")
    before = plt.get_backend()
    plt.switch_backend("Agg")
    yield plt
    plt.close("all")
    plt.switch_backend(before)
