"""One file that is whole at every moment, and belongs to one training."""

import os

import pytest
import torch

from sklearn_bert._engine.masked_lm.resume import (
    SavedTraining,
    TrainingFile,
    replace_file,
)
from sklearn_bert.exceptions import ResumeError

SAVED = SavedTraining({"a": torch.arange(3.0)}, {"n_steps": 7, "loss": 0.1 + 0.2})
NAME = "pretraining.safetensors"


def test_what_was_saved_comes_back_to_the_bit(tmp_path):
    TrainingFile(tmp_path / "new", {"seed": 1}).save(SAVED)
    loaded = TrainingFile(tmp_path / "new", {"seed": 1}).load()
    assert torch.equal(loaded.tensors["a"], SAVED.tensors["a"])
    assert loaded.progress == SAVED.progress
    assert [path.name for path in (tmp_path / "new").iterdir()] == [NAME]


def test_nothing_saved_is_nothing(tmp_path):
    assert TrainingFile(tmp_path, {}).load() is None


def test_another_training_is_refused_by_what_differs(tmp_path):
    TrainingFile(tmp_path, {"seed": 1, "n_epochs": 2}).save(SAVED)
    with pytest.raises(ResumeError, match="where n_epochs was 2 and is 3"):
        TrainingFile(tmp_path, {"seed": 1, "n_epochs": 3}).load()


@pytest.mark.parametrize("content", [b"", b"damaged", b"\x00" * 100])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ResumeError, match="Remove it to start over"):
        TrainingFile(tmp_path, {}).load()


def test_a_file_that_was_cut_short_is_refused(tmp_path):
    file = TrainingFile(tmp_path, {})
    file.save(SAVED)
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[:-1])
    with pytest.raises(ResumeError):
        file.load()


def test_a_failed_write_leaves_the_last_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write(part):
        part.write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        replace_file(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_left_behind_goes_with_the_next_saving(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(*args):
        raise Killed

    file = TrainingFile(tmp_path, {})
    for pid in (1, 2):
        with monkeypatch.context() as patch:
            patch.setattr("os.getpid", lambda pid=pid: pid)
            patch.setattr("os.fsync", kill)
            # A killed process clears nothing away.
            patch.setattr("pathlib.Path.unlink", lambda *args, **options: None)
            with pytest.raises(Killed):
                file.save(SAVED)
    assert len(list(tmp_path.iterdir())) == 1
    file.save(SAVED)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(ResumeError, match="checkpoint_dir must be a folder"):
        TrainingFile(path, {})
    assert path.read_text() == "mine"


def test_the_disk_has_the_content_before_the_name(tmp_path, monkeypatch):
    calls = []
    fsync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda x: calls.append("fsync") or fsync(x))
    monkeypatch.setattr(os, "replace", lambda *x: calls.append("name") or rename(*x))
    replace_file(tmp_path / "file", lambda path: path.write_text("new"))
    assert calls == ["fsync", "name", "fsync"]
