"""Ctrl-C, divergence and memory errors in BertMaskedLM."""

import gc
import threading
import traceback

import numpy as np
import pytest
import torch
from masked_lm.making import SENTENCES, make, weights_of

from sklearn_bert._engine.runtime.ranks import Ranks
from sklearn_bert.exceptions import (
    DeviceMemoryError,
    DivergenceError,
    InterruptedFitWarning,
    MemoryWarning,
)

LOOP = "sklearn_bert._engine.masked_lm.loop"


def test_ctrl_c_keeps_the_weights_so_far(monkeypatch, disturb_losses):
    disturb_losses(lambda call, _: call == 2, KeyboardInterrupt)
    with pytest.warns(InterruptedFitWarning, match="after 2 steps"):
        model = make(n_epochs=5).fit(SENTENCES)
    monkeypatch.undo()
    assert model.n_steps_ == 2
    assert np.isfinite(model.score(SENTENCES))


def test_a_non_finite_loss_ends_the_training(monkeypatch, disturb_losses):
    disturb_losses(lambda call, _: call == 2)
    model = make(n_epochs=5)
    with pytest.raises(DivergenceError, match="loss became NaN or infinite at step 3"):
        model.fit(SENTENCES)
    monkeypatch.undo()
    assert model.n_steps_ == 2
    assert np.isfinite(model.score(SENTENCES))


@pytest.mark.parametrize(
    ("learning_rate", "max_steps"), [(1e38, 1), (1e20, 1), (1e20, 4), (1e38, 4)]
)
def test_weights_with_non_finite_loss_are_not_kept(learning_rate, max_steps, tmp_path):
    kept = tmp_path / "pretraining.safetensors"
    model = make(
        learning_rate=learning_rate,
        max_steps=max_steps,
        warmup=0.0,
        checkpoint_dir=tmp_path,
        checkpoint_interval=0.0,
    )
    with pytest.raises(DivergenceError, match="The initial weights are kept"):
        model.fit(SENTENCES)
    assert all(np.isfinite(array).all() for array in weights_of(model).values())
    assert np.isfinite(model.score(SENTENCES))
    assert not kept.exists()


def test_a_divergence_error_keeps_no_training_alive():
    from sklearn_bert._engine.masked_lm.loop import Pretraining
    from sklearn_bert._engine.training.model.trainable import TrainableEncoder

    with pytest.raises(DivergenceError) as caught:
        make(learning_rate=1e20, max_steps=1, warmup=0.0).fit(SENTENCES)
    held = [
        value
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        for value in frame.f_locals.values()
    ]
    assert not any(isinstance(x, Pretraining | TrainableEncoder) for x in held)


def test_parameters_set_during_a_fit_are_kept():
    model = make(max_steps=1)

    def texts():
        model.set_params(n_epochs=7)
        yield from SENTENCES

    assert model.fit(texts()).n_epochs == 7


def test_a_learning_rate_beyond_the_dtype_is_refused():
    with pytest.raises(ValueError, match="learning_rate must be at most"):
        make(learning_rate=1e39).fit(SENTENCES)


@pytest.mark.parametrize("n_failures", [1, 3])
def test_memory_errors_do_not_change_the_result(disturb_losses, n_failures):
    options = {"n_epochs": 2, "dropout": 0.0, "dtype": "float64"}
    expected = make(**options).fit(SENTENCES)
    error = torch.OutOfMemoryError("out of memory")
    disturb_losses(lambda call, _: call < n_failures, error)
    with pytest.warns(MemoryWarning, match="do not fit into the memory"):
        found = make(**options).fit(SENTENCES)
    for name, array in weights_of(expected).items():
        np.testing.assert_allclose(weights_of(found)[name], array, atol=1e-9)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("sklearn_bert._pretraining.fit.make_trainable", "The model does not fit"),
        (
            "sklearn_bert._engine.masked_lm.loop.WeightSnapshot",
            "The optimizer's state does",
        ),
        ("torch.optim.AdamW.step", "Training, with a gradient and two moments of"),
    ],
)
def test_memory_errors_name_what_does_not_fit(monkeypatch, place, words):
    def short(*args, **options):
        raise torch.OutOfMemoryError("out of memory")

    # On a CPU, memory cannot be made to run out in one of these places only.
    monkeypatch.setattr(place, short)
    with pytest.raises(DeviceMemoryError, match=words):
        make().fit(SENTENCES)


def test_the_error_names_a_sequence_that_does_not_fit(disturb_losses):
    disturb_losses(lambda *_: True, torch.OutOfMemoryError("out of memory"))
    model = make()
    with pytest.raises(DeviceMemoryError, match="a single sequence of"):
        model.fit(SENTENCES)
    assert not hasattr(model, "encoder_")


def test_no_thread_remains_after_a_fit(monkeypatch):
    monkeypatch.setattr("sklearn_bert._engine.training.step_runner.LEAST_TO_SHARE", 1)
    n_threads, before = torch.get_num_threads(), threading.active_count()
    torch.set_num_threads(2)
    gc.disable()
    try:
        make(max_steps=1).fit(SENTENCES)
    finally:
        gc.enable()
        torch.set_num_threads(n_threads)
    assert threading.active_count() == before


def test_ranks_resume_on_devices_of_their_own(tmp_path, monkeypatch):
    class Second(Ranks):
        """A rank that learns what the first one has, and has its gradients."""

        def broadcast(self, value):
            return "cpu" if value == "cpu:0" else value

        def from_first(self, compute):
            return compute()

        def add(self, tensors):
            pass

        def copy_first(self, tensors):
            pass

        def all(self, value):
            return value

    settings = {"checkpoint_dir": tmp_path, "max_steps": 1, "random_state": 0}
    make(device="cpu", **settings).fit(SENTENCES)
    find = "sklearn_bert._pretraining.fit.find_ranks"
    monkeypatch.setattr(find, lambda device: Second(1, 2))
    resumed = make(device="cpu:0", **settings).fit(SENTENCES)
    assert resumed.n_steps_ == 1
