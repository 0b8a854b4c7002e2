"""BertClassifier when something goes wrong, or goes on at the same time."""

import contextlib

import numpy as np
import pytest

from sklearn_bert import BertClassifier
from sklearn_bert._engine.tokenization import TextTokenizer
from sklearn_bert.exceptions import DivergenceError


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


# --- divergence --------------------------------------------------------------------


@pytest.mark.parametrize("learning_rate", [1e3, 1e6, 1e20, 1e38, 3e38])
@pytest.mark.parametrize(
    "change",
    [{}, {"n_epochs": 1}, {"early_stopping": True}, {"batch_size": 3}],
    ids=str,
)
def test_absurd_learning_rates_leave_a_usable_estimator(
    make, texts, labels, learning_rate, change
):
    options = {"learning_rate": learning_rate, "schedule": "constant", **change}
    classifier = make(n_epochs=5, warmup=0.0).set_params(**options)
    with contextlib.suppress(DivergenceError):
        classifier.fit(texts, labels)
    assert np.isfinite(classifier.predict_proba(texts)).all()
    assert all(np.isfinite(one).all() for one in classifier.encoder_.weights.values())


def test_the_start_is_kept_if_the_first_epoch_ends_in_overflow(make, texts, labels):
    start = make(learning_rate=1e-30).fit(texts, labels)
    classifier = make(learning_rate=1e38)
    with pytest.raises(DivergenceError, match="weights that training started from"):
        classifier.fit(texts, labels)
    np.testing.assert_allclose(
        classifier.predict_proba(texts), start.predict_proba(texts), atol=1e-5
    )
    assert classifier.n_iter_ == 0


def test_a_learning_rate_beyond_the_number_format_is_refused(make, texts, labels):
    with pytest.raises(ValueError, match=r"at most 3.4e\+38, the largest.*Got 1e\+39"):
        make(learning_rate=1e39).fit(texts, labels)


def test_partial_fit_can_go_on_after_a_divergence(make, texts, labels):
    classifier = make().partial_fit(texts, labels, classes=[False, True])
    before = classifier.predict_proba(texts)
    with pytest.raises(DivergenceError):
        classifier.set_params(learning_rate=1e38).partial_fit(texts, labels)
    np.testing.assert_allclose(classifier.predict_proba(texts), before, atol=1e-5)
    classifier.set_params(learning_rate=1e-3).partial_fit(texts, labels)
    assert np.isfinite(classifier.predict_proba(texts)).all()
