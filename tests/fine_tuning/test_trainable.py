"""The encoder that a fit trains is its own."""

import numpy as np
import pytest

from sklearn_bert import BertVectorizer


@pytest.mark.parametrize("freeze", [None, "embeddings", 1, "encoder"])
def test_training_leaves_the_start_as_it_was(make, texts, labels, freeze):
    start = make(n_epochs=1).fit(texts, labels)
    vectorizer = BertVectorizer(start)
    before = vectorizer.fit_transform(texts)
    make(n_epochs=2).set_params(model=start, freeze=freeze).fit(texts, labels[::-1])
    np.testing.assert_array_equal(vectorizer.transform(texts), before)


def test_only_layers_that_are_not_frozen_change(make, texts, labels):
    start = make(n_epochs=1).fit(texts, labels)
    fitted = make(n_epochs=2).set_params(model=start, freeze=1).fit(texts, labels[::-1])
    before, after = start.encoder_.weights, fitted.encoder_.weights
    changed = {name for name in after if not np.array_equal(before[name], after[name])}
    assert any(".layer.1." in name for name in changed)
    assert not [name for name in changed if ".layer.0." in name or "embedding" in name]


def test_a_fit_in_the_midst_of_another_starts_from_the_same_weights(
    make, texts, labels
):
    expected, inner = make(n_epochs=1).fit(texts, labels), []

    def fit_another(state):
        inner.append(make(n_epochs=1).fit(texts, labels))

    make(n_epochs=1, callbacks=[fit_another]).fit(texts, labels)
    np.testing.assert_array_equal(inner[0].coef_, expected.coef_)


def test_the_device_is_noted(make, texts, labels):
    assert make(n_epochs=1).fit(texts, labels).device_ == "cpu"
