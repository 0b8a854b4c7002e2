"""A fit that fails, runs at the same time as others, or follows another."""

import contextlib
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_bert import BertVectorizer
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.training.loop import FineTuning
from sklearn_bert._engine.training.model.trainable import TrainableEncoder
from sklearn_bert.exceptions import DeviceMemoryError, DivergenceError

LOOP = "sklearn_bert._engine.training.loop"


def test_the_probe_reads_the_tokens_of_the_training(make, texts, labels, monkeypatch):
    tokenize, calls = TextTokenizer.__call__, []

    def watching(self, first, *args, **options):
        calls.append(len(first))
        return tokenize(self, first, *args, **options)

    # Objects of the tokenizers library cannot be watched.
    monkeypatch.setattr(TextTokenizer, "__call__", watching)
    make().fit(texts, labels)
    assert calls == [40]


# --- divergence --------------------------------------------------------------------


@pytest.mark.parametrize("learning_rate", [1e3, 1e20, 3e38])
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
    with pytest.raises(DivergenceError, match="initial weights are kept"):
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


def test_a_divergence_holds_no_part_of_the_training(make, texts, labels):
    with pytest.raises(DivergenceError) as caught:
        make(learning_rate=1e38).fit(texts, labels)
    held = [
        value
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        for value in frame.f_locals.values()
    ]
    heavy = (FineTuning, TrainableEncoder, Checkpoint, torch.nn.Module, TokenSequences)
    assert not [value for value in held if isinstance(value, heavy)]


# --- threads -----------------------------------------------------------------------


def fit_predict(make, texts, labels, seed):
    classifier = make(random_state=seed, n_epochs=1).fit(texts, labels)
    return classifier.predict_proba(texts)


def test_fits_in_threads_are_those_made_one_by_one(make, texts, labels):
    expected = [fit_predict(make, texts, labels, seed) for seed in range(8)]
    n_warnings = len(warnings.filters)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda seed: fit_predict(make, texts, labels, seed), range(8))
        )
    assert torch.equal(torch.get_rng_state(), state)
    assert len(warnings.filters) == n_warnings
    np.testing.assert_array_equal(found, expected)


def test_predicting_during_a_fit_mixes_no_two_fits(make, texts, labels):
    classifier = make().fit(texts, labels)
    expected = classifier.predict(texts)
    other = make(n_epochs=1).fit(texts, ["x", "y", "z", "w"] * 10)

    class Texts(list):
        """Texts, at whose reading another fit ends."""

        def __iter__(self):
            classifier.__dict__ = other.__dict__.copy()
            return super().__iter__()

    for method in ("predict", "predict_proba", "predict_log_proba", "transform"):
        classifier.__dict__ = make().fit(texts, labels).__dict__
        found = getattr(classifier, method)(Texts(texts))
        assert len(classifier.classes_) == 4
        assert found.shape in ((40,), (40, 2), (40, 32))
        if method == "predict":
            assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_fit_needs_no_gradients_of_its_caller(make, texts, labels, mode):
    expected = make().fit(texts, labels)
    with mode():
        classifier = make().fit(texts, labels)
        chances = classifier.predict_proba(texts)
    assert np.array_equal(classifier.coef_, expected.coef_)
    assert np.array_equal(classifier.predict_proba(texts), chances)
    classifier.partial_fit(texts, labels)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_autocast_of_the_caller_changes_nothing(make, texts, labels, dtype):
    options = {"dtype": dtype, "init": "zeros", "random_state": 0}
    expected = make(**options).fit(texts, labels)
    chances = expected.predict_proba(texts)
    with torch.autocast("cpu", torch.bfloat16):
        classifier = make(**options).fit(texts, labels)
        assert np.array_equal(classifier.predict_proba(texts), chances)
    assert np.array_equal(classifier.coef_, expected.coef_)


# --- what stays from fit to fit ----------------------------------------------------


def test_what_a_callback_sets_stays(make, texts, labels):
    classifier = make()

    def callback(state):
        classifier.set_params(n_epochs=7).history = [state.epoch]
        return True

    classifier.set_params(callbacks=[callback]).fit(texts, labels)
    assert (classifier.n_epochs, classifier.history) == (7, [1])
    assert classifier.n_iter_ == 1


def test_a_refit_drops_the_names_of_columns(make, texts, labels):
    classifier = make(n_epochs=1).fit(pd.DataFrame({"text": texts}), labels)
    assert classifier.feature_names_in_ == ["text"]
    classifier.fit(texts, labels)
    assert not hasattr(classifier, "feature_names_in_")


def test_long_text_takes_effect_in_the_next_fit(make, texts, labels):
    long_texts = [" ".join([text, text, text]) for text in texts]
    options = {"max_length": 32, "long_text": "window"}
    classifier = make(**options).fit(long_texts, labels)
    expected = classifier.predict_proba(long_texts)
    classifier.set_params(max_length=8, pooling="max", long_text="head_tail")
    np.testing.assert_array_equal(classifier.predict_proba(long_texts), expected)


# --- memory ------------------------------------------------------------------------


def run_out(*args, **options):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB.\nmore")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (
            "sklearn_bert._fine_tuning.trainable.make_trainable",
            "The model does not fit",
        ),
        (
            "sklearn_bert._engine.training.optimizer.RowAdamW",
            "The optimizer's state does not",
        ),
        (
            f"{LOOP}.WeightSnapshot",
            "The optimizer's state does not",
        ),
        ("torch.optim.AdamW.step", "Training, with a gradient and two moments of"),
        (f"{LOOP}.FineTuning._prepare", "Training, with a"),
    ],
)
def test_short_memory_in_a_fit_is_told_with_remedies(
    make, texts, labels, monkeypatch, place, words
):
    # On a CPU memory never runs out in just one of these places.
    monkeypatch.setattr(place, run_out)
    with pytest.raises(DeviceMemoryError, match=words) as caught:
        make().fit(texts, labels)
    assert "device 'cpu' (CUDA out of memory. Tried 2 GiB.)" in str(caught.value)
    assert "freeze some layers" in str(caught.value)


def test_short_memory_in_loading_is_told_with_remedies(
    make, texts, labels, own_bert, monkeypatch
):
    classifier = make(n_epochs=1).fit(texts, labels)
    # Moves weights to their device.
    monkeypatch.setattr(torch.nn.Module, "to", run_out)
    for read in (
        classifier.predict,
        BertVectorizer(own_bert).transform,
    ):
        with pytest.raises(DeviceMemoryError, match="The model does not fit"):
            read(texts)
    monkeypatch.undo()
    assert classifier.predict(texts).shape == (40,)


def test_parts_are_counted_together_and_a_fit_alone(make, texts, labels):
    classifier = make(n_epochs=1).fit(texts, labels)
    counts = classifier.class_count_
    assert classifier.n_samples_seen_ == counts.sum() == 40
    classifier.partial_fit(texts[:8], labels[:8])
    assert classifier.n_samples_seen_ == 48
    assert classifier.class_count_.sum() == 48
    assert classifier.fit(texts, labels).n_samples_seen_ == 40
    assert classifier.class_count_.tolist() == counts.tolist()


def test_what_an_earlier_version_did_not_count_stays_unknown(make, texts, labels):
    classifier = make(n_epochs=1).fit(texts, labels)
    del classifier.n_samples_seen_, classifier.class_count_
    classifier.partial_fit(texts[:8], labels[:8])
    assert not hasattr(classifier, "n_samples_seen_")
    assert not hasattr(classifier, "class_count_")
