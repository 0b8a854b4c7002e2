"""The checkpoint file is always complete, and belongs to one training."""

import pytest
import torch

from sklearn_bert._engine.masked_lm.resume import SavedTraining, TrainingFile
from sklearn_bert.exceptions import ResumeError

SAVED = SavedTraining({"a": torch.arange(3.0)}, {"n_steps": 7, "loss": 0.1 + 0.2})
NAME = "pretraining.safetensors"


def test_a_saved_state_is_loaded_exactly(tmp_path):
    TrainingFile(tmp_path / "new", {"seed": 1}).save(SAVED)
    loaded = TrainingFile(tmp_path / "new", {"seed": 1}).load()
    assert torch.equal(loaded.tensors["a"], SAVED.tensors["a"])
    assert loaded.progress == SAVED.progress
    assert [path.name for path in (tmp_path / "new").iterdir()] == [NAME]


def test_without_a_file_nothing_is_loaded(tmp_path):
    assert TrainingFile(tmp_path, {}).load() is None


def test_the_error_names_the_value_that_differs(tmp_path):
    TrainingFile(tmp_path, {"seed": 1, "n_epochs": 2}).save(SAVED)
    with pytest.raises(ResumeError, match="where n_epochs was 2 and is 3"):
        TrainingFile(tmp_path, {"seed": 1, "n_epochs": 3}).load()


@pytest.mark.parametrize("content", [b"", b"damaged", b"\x00" * 100])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ResumeError, match="Remove it to start over"):
        TrainingFile(tmp_path, {}).load()


def test_a_truncated_file_is_refused(tmp_path):
    file = TrainingFile(tmp_path, {})
    file.save(SAVED)
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[:-1])
    with pytest.raises(ResumeError):
        file.load()


def test_leftovers_of_a_killed_process_are_overwritten(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    file = TrainingFile(tmp_path, {})
    for _ in range(2):
        with monkeypatch.context() as patch:

            def kill(*args, patch=patch):
                # A killed process removes nothing.
                patch.setattr("shutil.rmtree", lambda *args, **options: None)
                raise Killed

            patch.setattr("os.fsync", kill)
            with pytest.raises(Killed):
                file.save(SAVED)
    assert len(list(tmp_path.iterdir())) == 1
    file.save(SAVED)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_file_instead_of_a_folder_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(ResumeError, match="checkpoint_dir must be a folder"):
        TrainingFile(path, {})
    assert path.read_text() == "mine"
