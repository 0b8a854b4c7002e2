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


def test_links_that_look_like_temporary_folders_are_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("mine")
    (tmp_path / ".file.x.part").symlink_to(victim)
    replace_file(tmp_path / "file", lambda path: path.write_text("new"))
    assert (victim / "file").read_text() == "mine"
    assert (tmp_path / "file").read_text() == "new"


def test_what_a_killed_process_left_is_removed(tmp_path):
    left = tmp_path / ".file.abc.part"
    left.mkdir()
    (left / "file").write_text("half")
    (tmp_path / ".other.abc.part").mkdir()
    replace_file(tmp_path / "file", lambda path: path.write_text("new"))
    assert {x.name for x in tmp_path.iterdir()} == {"file", ".other.abc.part"}


def test_a_file_is_not_mixed_with_one_that_is_written_at_the_same_time(tmp_path):
    path = tmp_path / "file"

    def write(part):
        part.write_text("half of the first")
        replace_file(path, lambda other: other.write_text("second"))
        assert path.read_text() == "second"
        part.write_text("first")

    replace_file(path, write)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path):
    path = tmp_path / ("\u00e9" * 127)
    replace_file(path, lambda path: path.write_text("new"))
    assert path.read_text() == "new"


def test_the_mode_of_a_file_is_that_of_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        replace_file(tmp_path / "file", lambda path: path.write_text("new"))
    finally:
        os.umask(old)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_of_processes_that_write_at_once_the_last_one_prevails(tmp_path):
    path = tmp_path / "file"
    size = 2**16

    def work(letter):
        for _ in range(50):
            replace_file(path, lambda part: part.write_text(letter * size))

    children = []
    for letter in "abcd":
        pid = os.fork()
        if not pid:
            status = 1
            try:
                work(letter)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    content = path.read_text()
    assert content == content[0] * size
    assert list(tmp_path.iterdir()) == [path]
