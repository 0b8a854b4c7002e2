"""Wherever memory runs out, the work is done in halves, or a DeviceMemoryError."""

import pickle
import warnings

import numpy as np
import pytest
import torch

from sklearn_bert import BertClassifier, BertMaskedLM, BertVectorizer
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.training.model import backbone
from sklearn_bert.exceptions import DeviceMemoryError, MemoryWarning

TEXTS = ["a good film", "the bad plot", "good music", "bad and dull", "it was"]
TEXTS += [f"{text} not" for text in TEXTS]
Y = [0, 1, 0, 1, 1] * 2
EXACT = {"dropout": 0.0, "dtype": "float64", "random_state": 0}
ALLOCATOR = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: "
ERRORS = {
    "torch": torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB."),
    "linux": RuntimeError(f"{ALLOCATOR}can't allocate memory: you tried to allocate 8"),
    "windows": RuntimeError(f"{ALLOCATOR}not enough memory: you tried to allocate 8"),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)."),
    "numpy": MemoryError("Unable to allocate 8. GiB for an array"),
    "python": MemoryError(),
    "system": OSError(12, "Cannot allocate memory"),
}


@pytest.fixture
def run_out(monkeypatch):
    """Return a function that lets one norm or head fail, counted from 0.

    It returns a list, in which there is an element for each norm and head.
    """

    def set_up(failing, error=ERRORS["torch"]):
        calls = []
        # A checkpoint that no fit has started from, so that it is tested first.
        new = EncoderCache(backbone.BACKBONES._build)
        monkeypatch.setattr(backbone, "BACKBONES", new)

        def replace(name):
            original = getattr(torch.nn.functional, name)

            def function(*args, **options):
                calls.append(None)
                if len(calls) == failing + 1:
                    raise error
                return original(*args, **options)

            monkeypatch.setattr(torch.nn.functional, name, function)

        replace("layer_norm")
        replace("linear")
        return calls

    return set_up


def try_to(run, monkeypatch):
    """Return the result, or None after a DeviceMemoryError; then memory is back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MemoryWarning)
        try:
            return run()
        except DeviceMemoryError:
            return None
        finally:
            monkeypatch.undo()


def make_classifier(folder, **changes):
    # The texts of a batch that is split are not compared with each other.
    options = {"n_epochs": 2, "batch_size": 8, "contrastive": 0, **EXACT, **changes}
    return BertClassifier(folder, **options)


def test_every_failure_in_a_fit_is_recovered_or_named(tiny_bert, run_out, monkeypatch):
    expected = make_classifier(tiny_bert).fit(TEXTS, Y).decision_function(TEXTS)
    failing, has_failed, is_recovered = 0, True, []
    while has_failed:
        classifier = make_classifier(tiny_bert)
        calls = run_out(failing)
        fitted = try_to(lambda model=classifier: model.fit(TEXTS, Y), monkeypatch)
        has_failed = len(calls) > failing
        is_recovered.append(fitted is not None)
        found = classifier.fit(TEXTS, Y) if fitted is None else fitted
        np.testing.assert_allclose(found.decision_function(TEXTS), expected, rtol=1e-6)
        # Several times in each pass of the self-test, and then in each step.
        failing += 25 if failing < 150 else 3
    # The self-test is not repeated, and the training is.
    assert is_recovered == sorted(is_recovered)
    assert 4 < sum(is_recovered) < len(is_recovered) - 4


def test_every_failure_in_predict_is_recovered_or_named(
    tiny_bert, run_out, monkeypatch
):
    state = pickle.dumps(make_classifier(tiny_bert).fit(TEXTS, Y))
    expected = pickle.loads(state).decision_function(TEXTS)
    for failing in range(0, 160, 15):
        # Its encoder is not in the cache, so that it is loaded and tested first.
        classifier = pickle.loads(state)
        run_out(failing)
        try_to(lambda model=classifier: model.predict(TEXTS), monkeypatch)
        found = classifier.decision_function(TEXTS)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_model_that_does_not_fit_is_not_called_unsuitable(tiny_bert, run_out, error):
    state = pickle.dumps(make_classifier(tiny_bert).fit(TEXTS, Y))
    run_out(0, error)
    with pytest.raises(DeviceMemoryError, match="The model does not fit into the mem"):
        pickle.loads(state).predict(TEXTS)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_batch_is_halved_after_any_error_about_memory(tiny_bert, run_out, error):
    vectorizer = BertVectorizer(tiny_bert, dtype="float64")
    expected = vectorizer.transform(TEXTS)
    calls = run_out(0, error)
    np.testing.assert_allclose(vectorizer.transform(TEXTS), expected, rtol=1e-9)
    assert len(calls) > 7


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_training_steps_are_halved_after_any_error_about_memory(
    tiny_bert, monkeypatch, disturb_losses, error
):
    expected = make_classifier(tiny_bert).fit(TEXTS, Y).decision_function(TEXTS)
    disturb_losses(lambda call, outputs: call == 1, error)
    with pytest.warns(MemoryWarning, match="into parts of"):
        classifier = make_classifier(tiny_bert).fit(TEXTS, Y)
    np.testing.assert_allclose(classifier.decision_function(TEXTS), expected, rtol=1e-6)


def test_the_last_check_of_pretraining_is_retried(tiny_bert, disturb_losses):
    def make():
        return BertMaskedLM(tiny_bert, max_steps=2, **EXACT)

    calls = []
    disturb_losses(lambda call, outputs: calls.append(call))
    expected = make().fit(TEXTS)
    error = ERRORS["torch"]
    disturb_losses(lambda call, outputs: call == len(calls) // 2 - 1, error)
    # Unlike in training, a gradient is not computed.
    with pytest.warns(MemoryWarning, match="into parts of"):
        model = make().fit(TEXTS)
    assert model.score(TEXTS) == pytest.approx(expected.score(TEXTS), rel=1e-6)


def test_other_errors_are_not_about_memory(tiny_bert, run_out):
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    vectorizer.transform(TEXTS)
    run_out(0, RuntimeError("mine"))
    with pytest.raises(RuntimeError, match="mine"):
        vectorizer.transform(TEXTS)


def test_on_a_cpu_the_remedy_is_not_the_cpu(tiny_bert, run_out):
    run_out(0)
    with pytest.raises(DeviceMemoryError) as caught:
        pickle.loads(pickle.dumps(make_classifier(tiny_bert))).fit(TEXTS, Y)
    assert "device='cpu'" not in str(caught.value)
    assert str(caught.value).endswith(", or free memory on the device.")
