"""A folder may be written if it is new, empty, or of the same method."""

import re

import pytest

from sklearn_bert._engine.export.folder import replace_folder
from sklearn_bert._sharing.free_folder import check_free_folder


@pytest.fixture
def check():
    """Return a function that checks a folder for one method."""
    return lambda folder: check_free_folder(folder, "keep", "Keeper", "kept.txt")


def fill(*names):
    return lambda folder: [(folder / name).write_text("") for name in names]


def test_a_new_and_an_empty_folder_are_free(check, tmp_path):
    assert check(str(tmp_path / "new")) == tmp_path / "new"
    assert check(tmp_path) == tmp_path


def test_the_home_folder_and_relative_paths_are_resolved(check, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert check("~/new") == check("new") == tmp_path / "new"


def test_a_folder_of_the_same_method_is_free(check, tmp_path):
    replace_folder(tmp_path / "old", fill("kept.txt", "more.txt"))
    assert check(tmp_path / "old") == tmp_path / "old"


def test_a_folder_of_another_method_is_not_free(check, tmp_path):
    replace_folder(tmp_path / "old", fill("more.txt"))
    rule = "be empty, or contain only what keep has written. Got .*'more.txt'. Move it"
    with pytest.raises(ValueError, match=rule):
        check(tmp_path / "old")


def test_a_file_is_not_a_folder(check, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=re.escape("/file', which is a file. Choose")):
        check(tmp_path / "file")


def test_other_types_are_refused(check):
    with pytest.raises(ValueError, match=r"'folder' parameter of Keeper.keep must be"):
        check(3)
