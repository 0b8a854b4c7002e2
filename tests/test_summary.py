"""summary() tells what an estimator knows about its model and its training."""

import copy
import re

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
    load,
)
from sklearn_bert._summary import Summary
from sklearn_bert.exceptions import CheckpointNotFoundError

TEXTS = ["a good film", "a bad plot", "slow and long", "it was funny"]
QUICK = {"n_epochs": 2, "random_state": 0, "device": "cpu", "dtype": "float32"}
NEW = {"n_layers": 1, "hidden_size": 16, "n_heads": 2, "vocab_size": 64}
WIDTH = 32


@pytest.fixture(scope="module")
def n_in_encoder(tiny_bert):
    return BertVectorizer(tiny_bert).summary().n_parameters


@pytest.fixture(scope="module")
def fitted_once(tiny_bert):
    classifier = BertClassifier(tiny_bert, max_length=5, **QUICK)
    with pytest.warns(match="truncated"):
        return classifier.fit([*TEXTS, "a long and slow film"], list("ababc"))


@pytest.fixture
def fitted(fitted_once):
    return copy.copy(fitted_once)


def fit_each(tiny_bert):
    words, tags = [["good", "film"], ["bad"]], [["x", "y"], ["x"]]
    return [
        BertVectorizer(tiny_bert).fit(TEXTS),
        BertClassifier(tiny_bert, **QUICK).fit(TEXTS, list("abab")),
        BertRegressor(tiny_bert, adapter="lora", **QUICK).fit(TEXTS, range(4)),
        BertTokenClassifier(tiny_bert, **QUICK).fit(words, tags),
        BertMaskedLM(**NEW, n_epochs=1).fit(TEXTS),
    ]


def test_a_loaded_estimator_has_the_same_summary(tiny_bert, tmp_path):
    for estimator in fit_each(tiny_bert):
        estimator.save(tmp_path / "file")
        assert load(tmp_path / "file").summary() == estimator.summary()


@pytest.mark.parametrize("kind", [BertClassifier, BertRegressor, BertMaskedLM])
def test_what_has_not_been_trained_has_none(kind):
    with pytest.raises(NotFittedError):
        kind().summary()


def test_a_vectorizer_has_one_before_fit(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=7, device="cpu", dtype="float64")
    summary = vectorizer.summary()
    assert (summary.max_length, summary.dtype) == (7, "float64")
    assert summary.model_bytes == 8 * summary.n_parameters
    assert summary.n_truncated is None
    assert not [name for name in vars(vectorizer) if name.endswith("_")]


def test_a_vectorizer_downloads_nothing_for_it(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)
    with pytest.raises(CheckpointNotFoundError, match="nothing is downloaded here"):
        BertVectorizer("nobody/has-this").summary()


def test_a_vectorizer_trains_nothing(tiny_bert):
    summary = BertVectorizer(tiny_bert).fit(TEXTS).summary()
    assert summary.n_trained_parameters == 0
    assert summary.n_frozen_parameters == summary.n_parameters


@pytest.mark.parametrize("with_pairs", [False, True])
def test_truncated_texts_have_a_share(tiny_bert, with_pairs):
    X = [*TEXTS, "a long and slow film"]
    X = [(x, "") for x in X] if with_pairs else X
    vectorizer = BertVectorizer(tiny_bert, max_length=5 + with_pairs)
    for method in (vectorizer.fit, vectorizer.fit_transform):
        with pytest.warns(match="truncated"):
            method(X)
        summary = vectorizer.summary()
        assert (summary.n_truncated, summary.truncated_share) == (1, 0.2)


def test_the_texts_for_validation_count(tiny_bert):
    classifier = BertClassifier(tiny_bert, max_length=5, early_stopping=True, **QUICK)
    with pytest.warns(match="truncated"):
        classifier.fit(TEXTS, list("abab"), X_val=["a long and slow film"], y_val=["a"])
    assert classifier.summary().truncated_share == 0.2


def test_all_weights_are_trained_by_default(fitted, n_in_encoder):
    summary = fitted.summary()
    assert summary.n_frozen_parameters == 0
    assert summary.n_trained_parameters == n_in_encoder + 3 * (WIDTH + 1)


@pytest.mark.parametrize("freeze", ["embeddings", 1, "encoder"])
def test_frozen_weights_are_those_of_frozen_layers(tiny_bert, n_in_encoder, freeze):
    regressor = BertRegressor(tiny_bert, freeze=freeze, **QUICK).fit(TEXTS, range(4))
    # What is frozen is decided by fit.
    summary = regressor.set_params(freeze=None).summary()
    weights = regressor.encoder_.weights
    frozen = {"embeddings": ["embeddings"], 1: ["embeddings", "encoder.layer.0."]}
    starts = tuple(frozen.get(freeze, ["embeddings", "encoder"]))
    n_frozen = sum(weights[name].size for name in weights if name.startswith(starts))
    assert summary.n_frozen_parameters == n_frozen
    assert summary.n_parameters == n_in_encoder + WIDTH + 1


def test_an_adapter_is_trained_in_place_of_the_encoder(tiny_bert, n_in_encoder):
    regressor = BertRegressor(tiny_bert, adapter="lora", **QUICK)
    summary = regressor.fit(TEXTS, range(4)).summary()
    assert summary.n_frozen_parameters == n_in_encoder
    assert WIDTH + 1 < summary.n_trained_parameters < n_in_encoder / 2


def test_both_rows_of_two_classes_are_trained(tiny_bert, n_in_encoder):
    summary = BertClassifier(tiny_bert, **QUICK).fit(TEXTS, list("abab")).summary()
    assert summary.n_trained_parameters == n_in_encoder + 2 * (WIDTH + 1)
    assert summary.n_frozen_parameters == 0


def test_tokens_are_counted_in_each_epoch(fitted):
    # Five tokens with [CLS] and [SEP], of all texts.
    assert fitted.summary().n_tokens == fitted.n_tokens_ == 2 * 5 * 5


def test_parts_of_a_training_add_up(tiny_bert):
    regressor = BertRegressor(tiny_bert, **QUICK)
    for _ in range(3):
        regressor.partial_fit(TEXTS, range(4))
    summary = regressor.summary()
    assert (summary.n_epochs, summary.n_tokens) == (3, 3 * 4 * 5)
    assert len(regressor.epoch_times_) == 3


def test_the_time_is_the_median_of_the_epochs(fitted):
    fitted.epoch_times_ = [9.0, 1.0, 2.0]
    assert fitted.summary().seconds_per_epoch == 2.0


def test_a_masked_lm_counts_the_embeddings_once(tiny_bert, n_in_encoder, vocabulary):
    summary = BertMaskedLM(tiny_bert, max_steps=1).fit(TEXTS).summary()
    # A layer, a norm and a bias for each token; the embeddings are the encoder's.
    head = WIDTH * (WIDTH + 1) + 2 * WIDTH + len(vocabulary)
    assert summary.n_frozen_parameters == 0
    assert summary.n_trained_parameters == n_in_encoder + head


def test_an_estimator_of_an_earlier_version_tells_what_it_knows(fitted):
    for name in ("dtype_", "epoch_times_", "n_tokens_", "n_trained_parameters_"):
        delattr(fitted, name)
    summary = fitted.summary()
    assert (summary.n_trained_parameters, summary.n_tokens) == (None, None)
    assert f"{summary.n_parameters:,}\n" in str(summary)


def test_the_dtype_is_that_of_products(tiny_bert, monkeypatch):
    where = "sklearn_bert._engine.runtime.device"
    monkeypatch.setattr(f"{where}.is_bfloat16_fast", lambda device: True)
    classifier = BertClassifier(tiny_bert, n_epochs=1, device="cpu")
    assert classifier.fit(TEXTS, list("abab")).dtype_ == "bfloat16"


# --- how it is shown ------------------------------------------------------------------

SHOWN = {
    "estimator": "BertClassifier",
    "checkpoint": None,
    "device": "cpu",
    "dtype": "float32",
    "n_parameters": 3_000,
    "n_trained_parameters": 1_000,
    "n_frozen_parameters": 2_000,
    "max_length": 256,
    "n_truncated": 1,
    "truncated_share": 0.25,
    "n_tokens": 40,
    "n_epochs": 2,
    "seconds_per_epoch": 1.5,
    "model_bytes": 12_000,
    "peak_bytes": 1_500_000_000,
}


def test_it_is_shown_in_aligned_lines():
    first, *lines = repr(Summary(**SHOWN)).splitlines()
    assert first == "BertClassifier"
    assert "  parameters      1,000 trained, 2,000 frozen" in lines
    assert "  truncated       1 text (25.0%)" in lines
    assert "  time            1.5 seconds per epoch, 2 epochs" in lines
    assert lines[-1].endswith("12.0 kB of weights, peak of 1.5 GB by the end of fit")
    assert {line[17:18].isspace() for line in lines} == {True}
    assert not any(line[18].isspace() for line in lines)


def test_what_is_not_known_is_not_shown():
    unknown = ["n_truncated", "truncated_share", "n_tokens", "seconds_per_epoch"]
    shown = repr(Summary(**{**SHOWN, **dict.fromkeys(unknown), "peak_bytes": None}))
    assert not re.search("truncated|tokens read|time|peak|None", shown)


def test_long_epochs_are_in_minutes():
    assert "5.0 minutes per epoch" in repr(
        Summary(**SHOWN | {"seconds_per_epoch": 300})
    )


def test_html_has_the_same_values_in_the_color_of_the_page():
    html = Summary(**SHOWN | {"device": "<cpu>"})._repr_html_()
    assert "&lt;cpu&gt;" in html
    assert "1,000 trained, 2,000 frozen" in html
    assert re.findall(r"[\w-]*color[^;\"]*", html) == ["color:inherit"]
    assert "mathjax_ignore" in html


def test_nothing_is_printed(tiny_bert, capsys):
    BertVectorizer(tiny_bert).summary()
    assert capsys.readouterr().out == ""


def test_values_are_plain_numbers(fitted):
    kinds = {type(value) for value in vars(fitted.summary()).values()}
    assert not {kind for kind in kinds if issubclass(kind, np.generic)}
