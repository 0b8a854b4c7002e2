"""Training reads what prediction reads."""

import warnings
from itertools import product

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_squared_error

from sklearn_bert import BertClassifier, BertRegressor, BertTokenClassifier
from sklearn_bert.exceptions import TruncationWarning

# So low a rate changes nothing: the loss of the epoch is that of the fitted model.
STILL = {"learning_rate": 1e-14, "n_epochs": 1, "dropout": 0.0, "dtype": "float64"}


@pytest.mark.parametrize("long_text", ["truncate", "head_tail", "window"])
@pytest.mark.parametrize(
    ("pooling", "is_pair"),
    [*product(["cls", "mean", "max"], [False, True]), ("compare", True)],
)
def test_training_reads_what_prediction_reads(
    tiny_bert, texts, long_text, pooling, is_pair
):
    X = list(zip(texts[:20], texts[20:], strict=True)) if is_pair else texts
    y = np.arange(len(X)) % 3
    options = {**STILL, "long_text": long_text, "pooling": pooling, "max_length": 14}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        classifier = BertClassifier(tiny_bert, **options).fit(X, y)
        regressor = BertRegressor(tiny_bert, **options).fit(X, y)
        chances, numbers = classifier.predict_proba(X), regressor.predict(X)
    assert classifier.loss_curve_[0] == pytest.approx(log_loss(y, chances), rel=1e-6)
    squares = mean_squared_error(y, numbers) / y.var()
    assert regressor.loss_curve_[0] == pytest.approx(squares, rel=1e-6)


@pytest.mark.parametrize("max_length", [4, 9, None])
@pytest.mark.parametrize("batch_size", [7, 99])
def test_training_reads_the_words_that_prediction_reads(
    tiny_bert, texts, max_length, batch_size
):
    X = [text.split() for text in texts]
    y = [[len(word) % 3 for word in words] for words in X]
    options = {**STILL, "max_length": max_length, "batch_size": batch_size}
    tagger = BertTokenClassifier(tiny_bert, **options).fit(X, y)
    chances = np.vstack(tagger.predict_proba(X))
    expected = log_loss(np.concatenate(y), chances)
    assert tagger.loss_curve_[0] == pytest.approx(expected, rel=1e-6)
