"""Sentences with tags to learn, and a quick tagger on the tiny BERT."""

import pytest

from sklearn_bert import BertTokenClassifier

KINDS = {"good": "B-x", "bad": "B-y", "film": "I-x"}


@pytest.fixture(scope="session")
def sentences(texts):
    """Forty sentences of 0 to 30 words."""
    return [text.split() for text in texts]


@pytest.fixture(scope="session")
def tags(sentences):
    """Tags that go by the word, and by the word before it."""
    return [tag(words) for words in sentences]


def tag(words):
    out = []
    for word in words:
        kind = KINDS.get(word, "O")
        is_start = not out or out[-1] not in ("B-x", "I-x")
        out.append("B-x" if kind == "I-x" and is_start else kind)
    return out


@pytest.fixture(scope="session")
def make(tiny_bert):
    """Return a function that makes a quick tagger."""

    def make(**changes):
        options = {"n_epochs": 2, "learning_rate": 1e-3, "random_state": 0}
        return BertTokenClassifier(tiny_bert, **{**options, **changes})

    return make


@pytest.fixture(scope="session")
def fitted(make, sentences, tags):
    return make().fit(sentences, tags)
