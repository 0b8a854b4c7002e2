"""Training with CUDA graphs gives the same results as training without them."""

import contextlib
import gc

import numpy as np
import pytest
import torch

from sklearn_bert import BertClassifier, BertRegressor, BertTokenClassifier
from sklearn_bert._engine.training import cuda_graphs, loop

pytestmark = pytest.mark.gpu

OPTIONS = {
    "n_epochs": 12,
    "learning_rate": 1e-3,
    "batch_size": 8,
    "dropout": 0.0,
    "random_state": 0,
}
# Steps with the contrastive loss are not recorded.
CLASSIFYING = {**OPTIONS, "contrastive": 0}


@pytest.fixture
def runners(monkeypatch):
    """Collect the step runner of each fit."""
    made, make = [], loop.make_step_runner

    def keep(*args):
        made.append(make(*args))
        return made[-1]

    # A fit does not show whether its steps were recorded.
    monkeypatch.setattr(loop, "make_step_runner", keep)
    return made


@pytest.fixture
def fit_twice(runners, monkeypatch):
    """Return a function that fits with recorded steps and without."""

    def fit_twice(make, *data):
        recorded = make().fit(*data)
        # No public option turns recording off.
        monkeypatch.setattr(cuda_graphs, "LARGEST", 0)
        return recorded, make().fit(*data)

    return fit_twice


@contextlib.contextmanager
def recording_fails():
    """Wait for the device in each step, which makes the recording fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_graphs, "clip_factor", lambda norm: norm.item())
        yield


def labels_of(texts):
    return np.array(["long" if len(text) > 80 else "short" for text in texts])


def tags_of(sentences):
    return [["X" if word == "good" else "O" for word in words] for words in sentences]


def assert_fits_agree(fits, runners, n_full, tolerance=0.03):
    """Check that two fits agree, and that the first one replayed full batches."""
    first, second = fits
    np.testing.assert_allclose(first.loss_curve_, second.loss_curve_, atol=tolerance)
    assert n_full - 6 <= runners[0].n_replayed < n_full
    assert runners[1].n_replayed == 0


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_classifier_learns_the_same(tiny_bert, texts, fit_twice, runners, pooling):
    def make():
        return BertClassifier(tiny_bert, pooling=pooling, **CLASSIFYING)

    fits = fit_twice(make, texts, labels_of(texts))
    assert_fits_agree(fits, runners, 60)


def test_a_classifier_of_pairs_learns_the_same(tiny_bert, texts, fit_twice, runners):
    pairs = list(zip(texts, texts[::-1], strict=True))

    def make():
        return BertClassifier(tiny_bert, pooling="compare", **CLASSIFYING)

    fits = fit_twice(make, pairs, labels_of(texts))
    assert_fits_agree(fits, runners, 60)


def test_a_weighted_multilabel_classifier_learns_the_same(
    tiny_bert, texts, fit_twice, runners
):
    y = np.array([[len(text) > 60, "a" in text.split()] for text in texts], dtype=int)

    def make():
        return BertClassifier(tiny_bert, class_weight={0: 2.0, 1: 0.5}, **CLASSIFYING)

    assert_fits_agree(fit_twice(make, texts, y), runners, 60)


def test_a_regressor_learns_the_same(tiny_bert, texts, fit_twice, runners):
    y = np.array([float(len(text)) for text in texts])

    def make():
        return BertRegressor(tiny_bert, **OPTIONS)

    assert_fits_agree(fit_twice(make, texts, y), runners, 60)


def test_a_tagger_learns_the_same(tiny_bert, texts, fit_twice, runners):
    sentences = [text.split() for text in texts]

    def make():
        return BertTokenClassifier(tiny_bert, **OPTIONS)

    # Sentences without words are left out, so that the last batch is smaller.
    assert_fits_agree(fit_twice(make, sentences, tags_of(sentences)), runners, 48)


@pytest.mark.parametrize("freeze", ["embeddings", 2])
def test_frozen_parts_stay_frozen(tiny_bert, texts, fit_twice, runners, freeze):
    def make():
        return BertClassifier(tiny_bert, freeze=freeze, **CLASSIFYING)

    fits = fit_twice(make, texts, labels_of(texts))
    assert_fits_agree(fits, runners, 60)
    name = "embeddings.word_embeddings.weight"
    first, second = (fit.encoder_.weights[name] for fit in fits)
    assert np.array_equal(first, second)


def test_a_seed_gives_one_model_with_dropout(tiny_bert, texts, runners):
    def fit():
        options = {**CLASSIFYING, "dropout": 0.2}
        return BertClassifier(tiny_bert, **options).fit(texts, labels_of(texts))

    first, second = fit(), fit()
    assert runners[0].n_replayed > 50
    for name, weight in first.encoder_.weights.items():
        assert np.array_equal(weight, second.encoder_.weights[name]), name


def test_each_replay_has_a_new_dropout_mask(tiny_bert, texts, runners):
    options = {**CLASSIFYING, "learning_rate": 1e-12, "batch_size": 40, "warmup": 0.0}
    options["dropout"] = 0.5
    losses = BertClassifier(tiny_bert, **options).fit(texts, labels_of(texts))
    assert runners[0].n_replayed > 8
    assert len(set(losses.loss_curve_)) == 12


def test_a_fit_continues_if_recording_fails(tiny_bert, texts, fit_twice, runners):
    def make():
        return BertClassifier(tiny_bert, **CLASSIFYING)

    with recording_fails():
        first, second = fit_twice(make, texts, labels_of(texts))
    assert runners[0].n_replayed == 0
    np.testing.assert_allclose(first.loss_curve_, second.loss_curve_, atol=0.03)


def test_a_failed_recording_affects_no_later_fit(tiny_bert, texts, runners):
    y = labels_of(texts)
    options = {**CLASSIFYING, "dropout": 0.1}
    with recording_fails():
        BertClassifier(tiny_bert, **options).fit(texts, y)
    assert torch.rand(3, device="cuda").max() > 0
    BertClassifier(tiny_bert, **options).fit(texts, y)
    assert runners[1].n_replayed > 50


def test_callbacks_and_early_stopping_work(tiny_bert, texts, runners):
    def note(state):
        rates.append(state.learning_rate)

    rates = []
    options = {**CLASSIFYING, "callbacks": [note], "early_stopping": True}
    options["n_iter_no_change"] = 12
    watched = BertClassifier(tiny_bert, **options).fit(texts, labels_of(texts))
    assert runners[0].n_replayed > 30
    assert len(watched.validation_scores_) == len(rates) == 12
    # They are not tensors, and fall after the warmup of less than two epochs.
    assert all(isinstance(rate, float) for rate in rates)
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_a_fit_frees_the_memory_of_the_device(tiny_bert, texts):
    def fit():
        BertClassifier(tiny_bert, **CLASSIFYING).fit(texts, labels_of(texts))
        torch.cuda.empty_cache()
        return torch.cuda.memory_reserved()

    fit()
    first = fit()
    assert all(fit() <= first for _ in range(3))


def test_a_failed_fit_frees_the_memory_of_the_device(tiny_bert, texts):
    def fail(state):
        if state.epoch == 4:
            raise ZeroDivisionError

    def fit():
        model = BertClassifier(tiny_bert, callbacks=[fail], **CLASSIFYING)
        with contextlib.suppress(ZeroDivisionError):
            model.fit(texts, labels_of(texts))

    fit()
    gc.collect()
    before = torch.cuda.memory_allocated()
    fit()
    gc.collect()
    assert torch.cuda.memory_allocated() <= before


@pytest.mark.parametrize("n_words", [60, 200, 500])
def test_batches_of_many_tokens_are_recorded(
    save_model, tmp_path, fit_twice, runners, n_words
):
    folder = save_model(tmp_path / "long", max_position_embeddings=512)
    rng = np.random.RandomState(0)
    words = np.array("good bad film plot story dull".split())
    texts = [" ".join(rng.choice(words, n_words + i)) for i in range(8)] * 5
    y = np.array(["good" if text < "f" else "bad" for text in texts])

    def make():
        return BertClassifier(folder, **{**CLASSIFYING, "learning_rate": 1e-4})

    assert_fits_agree(fit_twice(make, texts, y), runners, 60, tolerance=0.1)
