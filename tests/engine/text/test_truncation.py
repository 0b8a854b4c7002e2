"""What every estimator reads of a text that is longer than the model."""

import warnings

import numpy as np
import pytest

from sklearn_bert import (
    BertClassifier,
    BertRegressor,
    BertVectorizer,
)
from sklearn_bert.exceptions import TruncationWarning

# Three special tokens, so that a window of a pair has nine words.
PAIR = ("good film with a dull plot and a great actor", "it was good")


@pytest.fixture(scope="module")
def outputs(tiny_bert, texts):
    """Return a function that gives what an estimator makes of texts or of pairs."""
    pairs = list(zip(texts[:20], texts[20:], strict=True))

    def outputs(kind, X, is_pair=True, **options):
        options = {"max_length": 12, "dtype": "float64", **options}
        if kind is BertVectorizer:
            return kind(tiny_bert, **options).transform(X)
        options |= {"n_epochs": 1, "random_state": 0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncationWarning)
            estimator = kind(tiny_bert, **options)
            estimator.fit(pairs if is_pair else texts[:20], [0, 1] * 10)
        if kind is BertRegressor:
            return estimator.predict(X)
        return estimator.decision_function(X)

    return outputs


OF_TEXTS = [BertVectorizer, BertClassifier, BertRegressor]


@pytest.mark.parametrize("kind", OF_TEXTS)
@pytest.mark.parametrize("turn", [1, -1])
def test_the_longer_text_of_a_pair_is_read_in_windows(outputs, kind, turn):
    long, short = PAIR
    words = long.split()
    # Six words of ten fit next to the three; windows share one.
    windows = [" ".join(words[start : start + 6]) for start in (0, 4)]
    X = [(window, short)[::turn] for window in windows]
    whole = outputs(kind, [PAIR[::turn]], long_text="window")
    parts = outputs(kind, X, long_text="window")
    np.testing.assert_allclose(whole[0], parts.mean(axis=0), rtol=1e-9)


@pytest.mark.parametrize("kind", OF_TEXTS)
def test_the_longer_text_of_a_pair_is_cut_first(outputs, kind):
    cut = (" ".join(PAIR[0].split()[:6]), PAIR[1])
    with pytest.warns(TruncationWarning, match="1 of 1 texts"):
        found = outputs(kind, [PAIR])
    np.testing.assert_allclose(found, outputs(kind, [cut]), rtol=1e-9)


@pytest.mark.parametrize("kind", OF_TEXTS)
@pytest.mark.parametrize("is_pair", [False, True])
def test_head_and_tail_are_a_quarter_and_the_rest(outputs, kind, is_pair):
    words = [*PAIR[0].split(), "old", "new"]
    # Ten words of twelve fit by themselves, and six next to the three of the other
    # text.
    n_words = 6 if is_pair else 10
    n_head = n_words // 4
    kept = " ".join([*words[:n_head], *words[len(words) - n_words + n_head :]])
    X, cut = [" ".join(words)], [kept]
    if is_pair:
        X, cut = [(X[0], PAIR[1])], [(kept, PAIR[1])]
    options = {"is_pair": is_pair, "long_text": "head_tail"}
    with pytest.warns(TruncationWarning):
        found = outputs(kind, X, **options)
    np.testing.assert_allclose(found, outputs(kind, cut, **options), rtol=1e-9)


@pytest.mark.parametrize("kind", OF_TEXTS)
@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_every_window_counts(outputs, kind, pooling):
    words = ["dull"] * 60
    texts = [" ".join([*words[:i], "good", *words[i:]]) for i in range(0, 61, 6)]
    options = {"is_pair": False, "long_text": "window", "pooling": pooling}
    found = outputs(kind, [" ".join([*words, "dull"]), *texts], **options)
    assert (np.abs(found[1:] - found[0]).reshape(len(texts), -1).max(axis=1) > 0).all()
