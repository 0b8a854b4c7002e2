"""BertClassifier when something goes wrong, or goes on at the same time."""

import contextlib
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.base import clone

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert._engine.checkpoints.load import Checkpoint
from sklearn_bert._engine.encoding import encoder
from sklearn_bert._engine.encoding.encoder_cache import ENCODERS
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.training.loop import FineTuning
from sklearn_bert._engine.training.model.trainable import TrainableEncoder
from sklearn_bert.exceptions import DeviceMemoryError, DivergenceError, RareClassWarning

LOOP = "sklearn_bert._engine.training.loop"


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


# --- scoring in the middle of a fit ------------------------------------------------


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr"])
def test_a_scorer_that_lacks_a_class_is_told_before_the_training(
    make, texts, labels, scoring, monkeypatch
):
    y = labels.astype(int)
    y[3] = 2
    monkeypatch.setattr(FineTuning, "run", None)
    classifier = make(early_stopping=True, scoring=scoring)
    with (
        pytest.warns(RareClassWarning),
        pytest.raises(ValueError, match="scoring must be able") as caught,
    ):
        classifier.fit(texts, y)
    assert f"scoring='{scoring}' for 4 samples" in str(caught.value)
    assert "Raise validation_fraction" in str(caught.value)


def test_a_score_of_nan_is_told_before_the_training(make, texts, labels, monkeypatch):
    monkeypatch.setattr(FineTuning, "run", None)
    classifier = make(early_stopping=True, scoring=lambda *args: float("nan"))
    with pytest.raises(ValueError, match="It returned nan"):
        classifier.fit(texts, labels)


def test_the_scorer_is_given_the_weights_of_the_texts_held_out(make, texts, labels):
    seen = []

    def scorer(estimator, X, y, sample_weight=None):
        seen.append((X, sample_weight))
        return 0.5

    weights = np.arange(1, 41)
    classifier = make(early_stopping=True, scoring=scorer)
    classifier.fit(texts, labels, sample_weight=weights)
    assert len(seen) == 3
    for X, given in seen:
        assert [texts.index(text) + 1 for text in X] == given.tolist()
    seen.clear()
    classifier.fit(texts, labels)
    assert [weights for _, weights in seen] == [None] * 3


def test_weights_change_the_score_of_the_estimator_itself(make, texts, labels):
    wrong_weighs = make(early_stopping=True, validation_fraction=0.5, init="zeros")
    plain = clone(wrong_weighs).fit(texts, labels).validation_scores_
    weights = np.where(labels, 50, 1)
    weighted = wrong_weighs.fit(texts, labels, sample_weight=weights)
    assert weighted.validation_scores_ != plain


def test_a_scorer_without_weights_is_called_without(make, texts, labels):
    classifier = make(early_stopping=True, scoring=lambda estimator, X, y: 0.5)
    classifier.fit(texts, labels, sample_weight=np.ones(40))
    assert classifier.validation_scores_ == [0.5, 0.5]


def test_a_rare_label_is_never_lost_to_training(make, texts, labels):
    y = np.c_[labels, np.arange(40) == 7].astype(int)
    classifier = make(early_stopping=True, validation_fraction=0.5, n_epochs=1)
    n_warned = 0
    for seed in range(4):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            classifier.set_params(random_state=seed).fit(texts, y)
        n_warned += len(caught)
        # A label that is never on starts at a constant.
        assert classifier.coef_[1].any()
    assert n_warned > 0


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


def test_predicting_during_a_fit_mixes_no_two_fits(make, texts, labels, monkeypatch):
    classifier = make().fit(texts, labels)
    expected = classifier.predict(texts)
    other = make(n_epochs=1).fit(texts, ["x", "y", "z", "w"] * 10)
    get = ENCODERS.get

    def fitted_meanwhile(*args):
        # What another thread's fit does at its end.
        classifier.__dict__ = other.__dict__.copy()
        return get(*args)

    monkeypatch.setattr(ENCODERS, "get", fitted_meanwhile)
    for method in ("predict", "predict_proba", "predict_log_proba", "transform"):
        classifier.__dict__ = make().fit(texts, labels).__dict__
        found = getattr(classifier, method)(texts)
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


def test_an_autocast_of_the_caller_changes_no_features(own_bert, texts):
    with torch.autocast("cpu", torch.bfloat16):
        features = BertVectorizer(own_bert).fit_transform(texts)
    assert np.array_equal(features, BertVectorizer(own_bert).fit_transform(texts))


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
        ("sklearn_bert._fine_tuning.template.make_trainable", "The model does not fit"),
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
    monkeypatch.setattr(place, run_out)
    with pytest.raises(DeviceMemoryError, match=words) as caught:
        make().fit(texts, labels)
    assert "device 'cpu' (CUDA out of memory. Tried 2 GiB.)" in str(caught.value)
    assert "freeze some layers" in str(caught.value)


def test_short_memory_in_loading_is_told_with_remedies(
    make, texts, labels, own_bert, monkeypatch
):
    classifier = make(n_epochs=1).fit(texts, labels)
    monkeypatch.setattr(encoder, "choose_backend", run_out)
    for read in (
        classifier.predict,
        BertVectorizer(own_bert).transform,
    ):
        with pytest.raises(DeviceMemoryError, match="The model does not fit"):
            read(texts)
    monkeypatch.undo()
    assert classifier.predict(texts).shape == (40,)
