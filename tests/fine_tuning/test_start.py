"""What training starts from: the same tokens as prediction, and frozen layers."""

import warnings
from itertools import product

import numpy as np
import pytest
from safetensors.numpy import load_file
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
        classifier = BertClassifier(tiny_bert, contrastive=0, **options).fit(X, y)
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


# --- layers that share their weights -----------------------------------------------


@pytest.fixture(scope="module")
def tiny_albert(save_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-albert"
    return save_model(folder, "albert", embedding_size=16)


def test_shared_layers_cannot_be_told_apart(tiny_albert, texts, labels):
    words = "freeze must be None, 'embeddings' or 'encoder'.*3 layers share.*Got 2\\."
    with pytest.raises(ValueError, match=words):
        BertClassifier(tiny_albert, freeze=2).fit(texts, labels)


@pytest.mark.parametrize("freeze", [None, 0, "embeddings", 3, "encoder"])
def test_shared_layers_freeze_together(tiny_albert, texts, labels, freeze):
    classifier = BertClassifier(tiny_albert, freeze=freeze, n_epochs=1, random_state=0)
    weights = classifier.fit(texts, labels).encoder_.weights
    start = load_file(tiny_albert / "model.safetensors")
    name = "encoder.albert_layer_groups.0.albert_layers.0.ffn.weight"
    is_frozen = freeze in (3, "encoder")
    assert np.array_equal(weights[name], start[name]) == is_frozen
