"""Steps that a GPU repeats by itself learn what steps one by one do."""

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


@pytest.fixture
def recorders(monkeypatch):
    """Keep what runs the steps of each fit."""
    made, make = [], loop.make_step_runner

    def keep(*args):
        made.append(make(*args))
        return made[-1]

    # A fit does not show whether its steps were recorded.
    monkeypatch.setattr(loop, "make_step_runner", keep)
    return made


@pytest.fixture
def fit_twice(recorders, monkeypatch):
    """Return a function that fits with recorded steps and without."""

    def fit_twice(make, *data):
        recorded = make().fit(*data)
        # Nothing else turns recording off.
        monkeypatch.setattr(cuda_graphs, "LARGEST", 0)
        return recorded, make().fit(*data)

    return fit_twice


@contextlib.contextmanager
def recording_fails():
    """Wait for the device in each step, which a recording must not do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_graphs, "clip_factor", lambda norm: norm.item())
        yield


def labels_of(texts):
    return np.array(["long" if len(text) > 80 else "short" for text in texts])


def tags_of(sentences):
    return [["X" if word == "good" else "O" for word in words] for words in sentences]


def assert_learned_alike(fits, recorders, n_full, tolerance=0.03):
    """Check two fits of which one had so many full batches, of few sizes."""
    first, second = fits
    np.testing.assert_allclose(first.loss_curve_, second.loss_curve_, atol=tolerance)
    assert n_full - 6 <= recorders[0].n_replayed < n_full
    assert recorders[1].n_replayed == 0


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_classifier_learns_the_same(tiny_bert, texts, fit_twice, recorders, pooling):
    def make():
        return BertClassifier(tiny_bert, pooling=pooling, **OPTIONS)

    fits = fit_twice(make, texts, labels_of(texts))
    assert_learned_alike(fits, recorders, 60)


def test_pairs_are_compared_the_same(tiny_bert, texts, fit_twice, recorders):
    pairs = list(zip(texts, texts[::-1], strict=True))

    def make():
        return BertClassifier(tiny_bert, pooling="compare", **OPTIONS)

    fits = fit_twice(make, pairs, labels_of(texts))
    assert_learned_alike(fits, recorders, 60)


def test_several_labels_with_weights_are_learned_the_same(
    tiny_bert, texts, fit_twice, recorders
):
    y = np.array([[len(text) > 60, "a" in text.split()] for text in texts], dtype=int)

    def make():
        return BertClassifier(tiny_bert, class_weight={0: 2.0, 1: 0.5}, **OPTIONS)

    assert_learned_alike(fit_twice(make, texts, y), recorders, 60)


def test_numbers_are_learned_the_same(tiny_bert, texts, fit_twice, recorders):
    y = np.array([float(len(text)) for text in texts])

    def make():
        return BertRegressor(tiny_bert, **OPTIONS)

    assert_learned_alike(fit_twice(make, texts, y), recorders, 60)


def test_tags_are_learned_the_same(tiny_bert, texts, fit_twice, recorders):
    sentences = [text.split() for text in texts]

    def make():
        return BertTokenClassifier(tiny_bert, **OPTIONS)

    # Sentences without words are left out, so that the last batch is smaller.
    assert_learned_alike(fit_twice(make, sentences, tags_of(sentences)), recorders, 48)


@pytest.mark.parametrize("freeze", ["embeddings", 2])
def test_frozen_parts_stay_frozen(tiny_bert, texts, fit_twice, recorders, freeze):
    def make():
        return BertClassifier(tiny_bert, freeze=freeze, **OPTIONS)

    fits = fit_twice(make, texts, labels_of(texts))
    assert_learned_alike(fits, recorders, 60)
    name = "embeddings.word_embeddings.weight"
    first, second = (fit.encoder_.weights[name] for fit in fits)
    assert np.array_equal(first, second)


def test_one_seed_gives_one_model_with_dropout(tiny_bert, texts, recorders):
    def fit():
        options = {**OPTIONS, "dropout": 0.2}
        return BertClassifier(tiny_bert, **options).fit(texts, labels_of(texts))

    first, second = fit(), fit()
    assert recorders[0].n_replayed > 50
    for name, weight in first.encoder_.weights.items():
        assert np.array_equal(weight, second.encoder_.weights[name]), name


def test_each_replay_drops_other_numbers(tiny_bert, texts, recorders):
    options = {**OPTIONS, "learning_rate": 1e-12, "batch_size": 40, "warmup": 0.0}
    options["dropout"] = 0.5
    losses = BertClassifier(tiny_bert, **options).fit(texts, labels_of(texts))
    assert recorders[0].n_replayed > 8
    assert len(set(losses.loss_curve_)) == 12


def test_what_cannot_be_recorded_is_computed(tiny_bert, texts, fit_twice, recorders):
    def make():
        return BertClassifier(tiny_bert, **OPTIONS)

    with recording_fails():
        first, second = fit_twice(make, texts, labels_of(texts))
    assert recorders[0].n_replayed == 0
    np.testing.assert_allclose(first.loss_curve_, second.loss_curve_, atol=0.03)


def test_a_recording_that_fails_spoils_nothing(tiny_bert, texts, recorders):
    y = labels_of(texts)
    options = {**OPTIONS, "dropout": 0.1}
    with recording_fails():
        BertClassifier(tiny_bert, **options).fit(texts, y)
    assert torch.rand(3, device="cuda").max() > 0
    BertClassifier(tiny_bert, **options).fit(texts, y)
    assert recorders[1].n_replayed > 50


def test_callbacks_and_scores_come_between_the_steps(tiny_bert, texts, recorders):
    def note(state):
        rates.append(state.learning_rate)

    rates = []
    options = {**OPTIONS, "callbacks": [note], "early_stopping": True}
    options["n_iter_no_change"] = 12
    watched = BertClassifier(tiny_bert, **options).fit(texts, labels_of(texts))
    assert recorders[0].n_replayed > 30
    assert len(watched.validation_scores_) == len(rates) == 12
    # No tensors, and those of the schedule, which rises in the first two epochs.
    assert all(isinstance(rate, float) for rate in rates)
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_nothing_is_left_on_the_device(tiny_bert, texts):
    def fit():
        BertClassifier(tiny_bert, **OPTIONS).fit(texts, labels_of(texts))
        torch.cuda.empty_cache()
        return torch.cuda.memory_reserved()

    fit()
    first = fit()
    assert all(fit() <= first for _ in range(3))


def test_a_fit_that_fails_leaves_nothing_on_the_device(tiny_bert, texts):
    def fail(state):
        if state.epoch == 4:
            raise ZeroDivisionError

    def fit():
        model = BertClassifier(tiny_bert, callbacks=[fail], **OPTIONS)
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
    save_model, tmp_path, fit_twice, recorders, n_words
):
    folder = save_model(tmp_path / "long", max_position_embeddings=512)
    rng = np.random.RandomState(0)
    words = np.array("good bad film plot story dull".split())
    texts = [" ".join(rng.choice(words, n_words + i)) for i in range(8)] * 5
    y = np.array(["good" if text < "f" else "bad" for text in texts])

    def make():
        return BertClassifier(folder, **{**OPTIONS, "learning_rate": 1e-4})

    assert_learned_alike(fit_twice(make, texts, y), recorders, 60, tolerance=0.1)
