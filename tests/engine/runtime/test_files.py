"""A file is replaced as a whole or not at all."""

import os

import pytest

from sklearn_bert._engine.runtime.files import replace_file


def test_a_failed_write_keeps_the_previous_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write(part):
        part.write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        replace_file(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_disk_before_the_file_is_renamed(tmp_path, monkeypatch):
    calls = []
    fsync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda x: calls.append("fsync") or fsync(x))
    monkeypatch.setattr(os, "replace", lambda *x: calls.append("name") or rename(*x))
    replace_file(tmp_path / "file", lambda path: path.write_text("new"))
    assert calls == ["fsync", "name", "fsync"]


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".file.part").symlink_to(victim)
    replace_file(tmp_path / "file", lambda path: path.write_text("new"))
    assert victim.read_text() == "mine"
    assert (tmp_path / "file").read_text() == "new"
