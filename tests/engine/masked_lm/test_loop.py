"""An interrupted BertMaskedLM resumes with identical results."""

import copy
import itertools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from masked_lm.making import SENTENCES, TINY, assert_same_weights, make, weights_of

from sklearn_bert import BertMaskedLM
from sklearn_bert._engine.masked_lm.resume import TrainingFile
from sklearn_bert.exceptions import (
    InterruptedFitWarning,
    MemoryWarning,
    ResumeError,
)

WORKER = """
import sys
from pathlib import Path
from sklearn_bert import BertMaskedLM
from sklearn_bert._engine.masked_lm.schedule import PretrainingSchedule
from sklearn_bert._engine.masked_lm.self_supervised import SelfSupervisedModel

texts, folder = Path(sys.argv[1]), sys.argv[2]
model = BertMaskedLM(
    n_layers=1, hidden_size=16, n_heads=2, vocab_size=120, batch_tokens=256,
    learning_rate=3e-3, device="cpu", dtype="float32", random_state=0, n_epochs=30,
    checkpoint_dir=folder, checkpoint_interval=0.0,
)
print("begun", flush=True)
model.fit(texts)
print("ended", flush=True)
"""


def test_after_a_kill_it_resumes_to_the_same_weights(tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(SENTENCES), encoding="utf-8")
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    folder = tmp_path / "checkpoint"
    kept = folder / "pretraining.safetensors"
    moments = np.random.default_rng(0).random(2)
    n_killed = 0
    for moment in moments:
        worker = subprocess.Popen(
            [sys.executable, script, texts, folder], stdout=subprocess.PIPE
        )
        before = kept.stat().st_mtime_ns if kept.exists() else None
        while worker.poll() is None:
            if kept.exists() and kept.stat().st_mtime_ns != before:
                time.sleep(moment / 10)
                break
            time.sleep(0.01)
        if worker.poll() is None:
            os.kill(worker.pid, signal.SIGKILL)
            n_killed += 1
        worker.communicate()
    assert n_killed
    options = {**TINY, "n_epochs": 30}
    resumed = BertMaskedLM(**options, checkpoint_dir=folder, checkpoint_interval=0.0)
    resumed.fit(texts)
    undisturbed = BertMaskedLM(**options).fit(texts)
    assert_same_weights(resumed, undisturbed)
    assert resumed.loss_curve_ == undisturbed.loss_curve_
    assert resumed.n_tokens_ == undisturbed.n_tokens_


def die_after_saving(patch, n_savings):
    """End a training, as if killed, after it has saved ``n_savings`` times."""
    replace, count = os.replace, itertools.count(1)

    def replace_and_die(*paths):
        replace(*paths)
        if next(count) == n_savings:
            raise SystemError

    patch.setattr(os, "replace", replace_and_die)


def forbid_steps(patch):
    """Make every optimizer step fail."""
    patch.setattr(torch.optim.AdamW, "step", None)


@pytest.mark.parametrize("n_done", [1, 2, 3, 5])
def test_it_resumes_from_any_step(tmp_path, monkeypatch, n_done):
    options = {"n_epochs": 3, "checkpoint_dir": tmp_path, "checkpoint_interval": 0.0}
    die_after_saving(monkeypatch, n_done)
    with pytest.raises(SystemError):
        make(**options).fit(SENTENCES)
    monkeypatch.undo()
    resumed = make(**options).fit(SENTENCES)
    expected = make(n_epochs=3).fit(SENTENCES)
    assert_same_weights(resumed, expected)
    assert resumed.loss_curve_ == expected.loss_curve_
    assert len(resumed.epoch_times_) == len(expected.epoch_times_) == 3


def test_a_completed_training_is_not_repeated(tmp_path, monkeypatch):
    options = {"n_epochs": 2, "checkpoint_dir": tmp_path}
    first = make(**options).fit(SENTENCES)
    forbid_steps(monkeypatch)
    assert_same_weights(first, make(**options).fit(SENTENCES))


def test_a_file_without_the_times_of_epochs_is_read(tmp_path, monkeypatch):
    options = {"n_epochs": 2, "checkpoint_dir": tmp_path}
    first = make(**options).fit(SENTENCES)
    load = TrainingFile.load

    def load_of_an_earlier_version(self):
        saved = load(self)
        del saved.progress["epoch_times"]
        return saved

    monkeypatch.setattr(TrainingFile, "load", load_of_an_earlier_version)
    again = make(**options).fit(SENTENCES)
    assert (again.loss_curve_, again.epoch_times_) == (first.loss_curve_, [])


def test_a_training_ended_by_max_time_is_saved(tmp_path, monkeypatch):
    ticks = iter(range(10**6))
    monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
    options = {"n_epochs": 50, "max_time": 20, "checkpoint_dir": tmp_path}
    first = make(**options).fit(SENTENCES)
    forbid_steps(monkeypatch)
    again = make(**options).fit(SENTENCES)
    assert 1 < again.n_steps_ == first.n_steps_ < 20
    assert again.loss_curve_ == first.loss_curve_
    assert_same_weights(first, again)


def test_after_ctrl_c_it_resumes_to_the_same_weights(
    tmp_path, monkeypatch, disturb_losses
):
    options = {"n_epochs": 3, "checkpoint_dir": tmp_path}
    disturb_losses(lambda call, _: call == 2, KeyboardInterrupt)
    with pytest.warns(InterruptedFitWarning, match="after 2 steps"):
        make(**options).fit(SENTENCES)
    monkeypatch.undo()
    steps, step = [], torch.optim.AdamW.step
    monkeypatch.setattr(
        torch.optim.AdamW, "step", lambda self: steps.append(1) or step(self)
    )
    resumed = make(**options).fit(SENTENCES)
    assert len(steps) == resumed.n_steps_ - 2
    assert_same_weights(resumed, make(n_epochs=3).fit(SENTENCES))


def test_ctrl_c_within_a_step_restores_earlier_weights(tmp_path, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    # The line about an epoch is printed before its last step ends.
    options = {"n_epochs": 3, "checkpoint_dir": tmp_path, "verbose": 2}
    expected = make(max_steps=1, learning_rate=1e-12).fit(SENTENCES)
    monkeypatch.setattr("builtins.print", interrupted)
    with pytest.warns(InterruptedFitWarning):
        model = make(batch_tokens=10**6, **options).fit(SENTENCES)
    for name, array in weights_of(expected).items():
        np.testing.assert_allclose(weights_of(model)[name], array, atol=1e-6)
    assert list(tmp_path.iterdir()) == []


def test_without_random_state_the_drawn_seed_is_restored(tmp_path):
    options = {"n_epochs": 2, "checkpoint_dir": tmp_path, "random_state": None}
    first = make(**options).fit(SENTENCES)
    assert_same_weights(first, make(**options).fit(SENTENCES))


@pytest.mark.parametrize(
    ("changes", "texts"),
    [({"n_epochs": 3}, SENTENCES), ({"dropout": 0.0}, SENTENCES), ({}, SENTENCES[:-1])],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, changes, texts):
    make(n_epochs=2, checkpoint_dir=tmp_path).fit(SENTENCES)
    with pytest.raises(ResumeError, match="only with the same parameters and texts"):
        make(**{"n_epochs": 2, "checkpoint_dir": tmp_path, **changes}).fit(texts)


def test_the_part_size_after_a_memory_error_is_restored(
    tmp_path, monkeypatch, disturb_losses
):
    is_short = True
    # About 38 tokens of a batch are masked, and 19 of half a batch.
    disturb_losses(
        lambda _, outputs: is_short and len(outputs) > 29,
        torch.OutOfMemoryError("out of memory"),
    )
    options = {"n_epochs": 3, "checkpoint_interval": 0.0, "dropout": 0.1}
    with pytest.warns(MemoryWarning):
        expected = make(**options).fit(SENTENCES)
    with monkeypatch.context() as patch:
        die_after_saving(patch, 2)
        with pytest.raises(SystemError):
            make(**options, checkpoint_dir=tmp_path).fit(SENTENCES)
    # The last fit must read the part size from the file.
    is_short = False
    with pytest.warns(MemoryWarning):
        resumed = make(**options, checkpoint_dir=tmp_path).fit(SENTENCES)
    assert_same_weights(resumed, expected)


def test_a_checkpoint_of_another_head_is_refused(tmp_path, fitted):
    other = copy.deepcopy(fitted)
    head = other._masked_model.head
    name = min(head)
    head[name] = head[name] + 1
    options = {"max_steps": 1, "checkpoint_dir": tmp_path}
    make(model=fitted, **options).fit(SENTENCES)
    with pytest.raises(ResumeError, match="model was"):
        make(model=other, **options).fit(SENTENCES)


@pytest.mark.parametrize(("every", "n_savings"), [(0.0, 6), (1e9, 1)])
def test_it_is_saved_at_each_interval(tmp_path, monkeypatch, every, n_savings):
    saved, replace = [], os.replace
    monkeypatch.setattr(os, "replace", lambda *x: saved.append(x) or replace(*x))
    options = {"max_steps": 6, "checkpoint_dir": tmp_path, "checkpoint_interval": every}
    make(n_epochs=9, **options).fit(SENTENCES)
    assert len(saved) == n_savings
    # The last checkpoint contains the last step.
    forbid_steps(monkeypatch)
    make(n_epochs=9, **options).fit(SENTENCES)
