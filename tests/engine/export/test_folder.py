"""A folder is complete or absent, and nothing of others is replaced."""

import errno
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from safetensors import SafetensorError

from sklearn_bert._engine.export import folder as folders
from sklearn_bert._engine.export.folder import MANIFEST, find_foreign, replace_folder
from sklearn_bert._engine.runtime.locks import HAS_LOCKS
from sklearn_bert.exceptions import SavedFileError


def fill(**contents):
    """Return a function that writes files, whose names have / for __."""

    def write(folder):
        for name, content in contents.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        return len(contents)

    return write


def names_in(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )


@pytest.fixture
def earlier(tmp_path):
    """A folder of an earlier call."""
    folder = tmp_path / "model"
    replace_folder(folder, fill(config="old", old="old", part__weights="old"))
    return folder


def refuse(*args):
    raise OSError(errno.EBUSY, "Device or resource busy")


@pytest.fixture(params=["exchanged", "not exchanged", "mount point"])
def system(request, monkeypatch):
    """What the system can do with a folder."""
    if request.param == "not exchanged":
        monkeypatch.setattr(folders, "exchange", refuse)
    if request.param == "mount point":
        rename = folders.Path.rename

        def rename_elsewhere(self, target):
            if self.parent != target.parent:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            return rename(self, target)

        monkeypatch.setattr(folders.Path, "rename", rename_elsewhere)


def test_a_new_folder_contains_what_was_written_and_the_list_of_it(tmp_path):
    folder = tmp_path / "below" / "model"
    assert replace_folder(folder, fill(config="new", part__weights="new")) == 2
    names = ["config", "part/weights", MANIFEST]
    assert names_in(folder) == names
    assert json.loads((folder / MANIFEST).read_text())["files"] == names
    assert os.listdir(folder.parent) == ["model"]


def test_an_earlier_folder_is_replaced_as_a_whole(earlier, system):
    replace_folder(earlier, fill(config="new", new="new"))
    assert names_in(earlier) == ["config", "new", MANIFEST]
    assert (earlier / "config").read_text() == "new"
    assert sorted(os.listdir(earlier)) == ["config", "new", MANIFEST]
    assert os.listdir(earlier.parent) == ["model"]


def test_a_failed_write_keeps_the_earlier_folder(earlier, system):
    before = {name: (earlier / name).read_text() for name in names_in(earlier)}

    def write(folder):
        (folder / "config").write_text("half")
        raise OSError("no space left")

    with pytest.raises(SavedFileError, match=r"no space left.*Check its permissions"):
        replace_folder(earlier, write)
    assert {name: (earlier / name).read_text() for name in names_in(earlier)} == before
    assert os.listdir(earlier.parent) == ["model"]


def test_a_place_below_a_file_is_an_error_that_says_why(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SavedFileError, match=r"Got '.*model' \(Not a directory\)"):
        replace_folder(tmp_path / "file" / "model", fill(config="new"))


def test_a_link_to_an_earlier_folder_remains(earlier, tmp_path):
    (tmp_path / "link").symlink_to(earlier)
    replace_folder(tmp_path / "link", fill(config="new"))
    assert (tmp_path / "link").is_symlink()
    assert (earlier / "config").read_text() == "new"


def test_files_of_others_are_found(earlier):
    assert find_foreign(earlier, "config") == []
    (earlier / "part" / "mine").write_text("mine")
    (earlier / "notes.txt").write_text("mine")
    (earlier / "link").symlink_to(earlier / "part")
    assert find_foreign(earlier, "config") == ["link", "notes.txt", "part/mine"]


@pytest.mark.parametrize(
    "name",
    [
        ".ipynb_checkpoints/config-checkpoint",
        ".ipynb_checkpoints/sklearn_bert-checkpoint.json",
        "part/.ipynb_checkpoints/weights-checkpoint",
        "part/.DS_Store",
    ],
)
def test_what_viewers_leave_is_replaced(earlier, system, name):
    (earlier / name).parent.mkdir(exist_ok=True, parents=True)
    (earlier / name).write_text("")
    assert find_foreign(earlier, MANIFEST) == []
    replace_folder(earlier, fill(config="new", part__weights="new"))
    assert names_in(earlier) == ["config", "part/weights", MANIFEST]


def test_what_jupyter_copies_of_other_files_may_be_all_that_is_left_of_them(earlier):
    notebook = ".ipynb_checkpoints/thesis-checkpoint.ipynb"
    (earlier / notebook).parent.mkdir()
    (earlier / notebook).write_text("mine")
    assert find_foreign(earlier, "config") == [notebook]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 3}', "[" * 9999])
def test_a_list_of_others_makes_no_file_ours(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)
    assert find_foreign(tmp_path, "config") == [MANIFEST]


def test_what_a_killed_call_has_left_is_not_of_others(earlier):
    left = earlier / ".unfinished-sklearn-bert"
    left.mkdir()
    (left / "config").write_text("half")
    assert find_foreign(earlier, "config") == []
    replace_folder(earlier, fill(config="new"))
    assert names_in(earlier) == ["config", MANIFEST]


def write_slowly(letter):
    """Return a function that writes a model in two files of the same letter."""

    def write(folder):
        (folder / "config.json").write_text(letter)
        time.sleep(0.02)
        (folder / "tokenizer").write_text(letter)

    return write


def save_often(folder, letter):
    for _ in range(10):
        assert find_foreign(folder, "tokenizer") == []
        replace_folder(folder, write_slowly(letter))


def check_one_model(folder):
    names = ["config.json", MANIFEST, "tokenizer"]
    assert names_in(folder) == names
    assert (
        len({(folder / name).read_text() for name in ("config.json", "tokenizer")}) == 1
    )
    assert sorted(os.listdir(folder)) == names
    assert os.listdir(folder.parent) == ["model"]


needs_locks = pytest.mark.skipif(not HAS_LOCKS, reason="the system has no locks")


@needs_locks
def test_threads_that_write_at_once_do_not_mix_their_files(tmp_path):
    folder = tmp_path / "new" / "model"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save_often, [folder] * 4, "abcd"))
    check_one_model(folder)


@needs_locks
def test_threads_that_replace_a_folder_at_once_do_not_mix_their_files(tmp_path, system):
    folder = tmp_path / "model"
    folder.mkdir()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save_often, [folder] * 4, "abcd"))
    check_one_model(folder)


@needs_locks
def test_processes_that_write_at_once_do_not_mix_their_files(tmp_path):
    folder = tmp_path / "model"
    children = []
    for letter in "abcd":
        pid = os.fork()
        if not pid:
            status = 1
            try:
                save_often(folder, letter)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    check_one_model(folder)


@needs_locks
def test_a_folder_in_one_that_cannot_be_written_is_locked_from_inside(
    tmp_path, monkeypatch
):
    folder, access = tmp_path / "model", os.access
    folder.mkdir()
    monkeypatch.setattr(folders, "exchange", refuse)
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != tmp_path and access(path, mode)
    )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save_often, [folder] * 4, "abcd"))
    check_one_model(folder)


def test_the_working_directory_stays_where_it_is(earlier, monkeypatch):
    monkeypatch.chdir(earlier)
    replace_folder(earlier, fill(config="new", part__weights="new"))
    assert os.getcwd() == str(earlier)
    assert sorted(os.listdir(".")) == ["config", "part", MANIFEST]
    assert os.listdir(earlier.parent) == ["model"]
    replace_folder(earlier, fill(config="newer"))
    assert sorted(os.listdir(".")) == ["config", MANIFEST]


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        SafetensorError("I/O error"),
        Exception("No space left on device (os error 28)"),
    ],
    ids=["system", "safetensors", "tokenizers"],
)
def test_a_full_disk_is_one_kind_of_error(tmp_path, error):
    def write(new):
        raise error

    with pytest.raises(SavedFileError, match=r"Got .*model' \(.*\)\. Check"):
        replace_folder(tmp_path / "model", write)
    assert [*tmp_path.iterdir()] == []


def test_other_errors_are_not_about_files(tmp_path):
    def write(new):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replace_folder(tmp_path / "model", write)
