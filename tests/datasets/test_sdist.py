"""Source distributions: where they are taken from, and what failures say."""

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from sklearn_bert.datasets import _sdist
from sklearn_bert.datasets._sdist import Sdist, get_sdist, read_members

CONTENT = gzip.compress(b"the archive", mtime=0)
SDIST = Sdist("Project", "1.2", hashlib.sha256(CONTENT).hexdigest())


def pip_that(monkeypatch, *, writes=None, returncode=0, stderr=""):
    """Put a stand-in for pip in place, and return the list of its calls."""
    calls = []

    def run(command, **options):
        calls.append((command, options))
        if writes is not None:
            scratch = Path(command[command.index("--dest") + 1])
            (scratch / "project-1.2.tar.gz").write_bytes(writes)
        return subprocess.CompletedProcess(command, returncode, "", stderr)

    monkeypatch.setattr(_sdist.subprocess, "run", run)
    return calls


def failure_of(monkeypatch, folder, stderr):
    pip_that(monkeypatch, returncode=1, stderr=stderr)
    with pytest.raises(OSError, match="Could not download") as caught:
        get_sdist(SDIST, folder, True)
    return str(caught.value)


def test_placed_file_is_taken_without_pip(tmp_path, monkeypatch):
    (tmp_path / "Project-1.2.tar.gz").write_bytes(CONTENT)
    calls = pip_that(monkeypatch, writes=CONTENT)
    assert get_sdist(SDIST, tmp_path, True) == CONTENT
    assert calls == []


def test_placed_file_counts_as_locally_available(tmp_path):
    (tmp_path / "Project-1.2.tar.gz").write_bytes(CONTENT)
    assert get_sdist(SDIST, tmp_path, False) == CONTENT


def test_placed_file_with_other_content_is_refused(tmp_path):
    placed = tmp_path / "Project-1.2.tar.gz"
    placed.write_bytes(b"something else")
    with pytest.raises(OSError, match="Remove the file, or replace it") as caught:
        get_sdist(SDIST, tmp_path, True)
    found = hashlib.sha256(b"something else").hexdigest()
    assert str(caught.value).startswith(
        f"The SHA256 checksum of {placed} ({found}) differs from expected "
        f"({SDIST.sha256})."
    )


def test_missing_file_without_download_is_refused_in_scikit_learns_words(tmp_path):
    with pytest.raises(
        OSError, match=r"^Data not found and `download_if_missing` is F"
    ):
        get_sdist(SDIST, tmp_path, False)


def test_download_is_returned_whatever_the_index_calls_the_file(tmp_path, monkeypatch):
    pip_that(monkeypatch, writes=CONTENT)
    assert get_sdist(SDIST, tmp_path, True) == CONTENT


def test_download_leaves_nothing_in_the_folder(tmp_path, monkeypatch):
    pip_that(monkeypatch, writes=CONTENT)
    get_sdist(SDIST, tmp_path, True)
    assert list(tmp_path.iterdir()) == []


def test_downloaded_file_with_other_content_is_refused(tmp_path, monkeypatch):
    pip_that(monkeypatch, writes=b"something else")
    with pytest.raises(OSError, match="Check the package index that pip uses"):
        get_sdist(SDIST, tmp_path, True)


def test_pip_of_the_running_interpreter_is_used(tmp_path, monkeypatch):
    calls = pip_that(monkeypatch, writes=CONTENT)
    get_sdist(SDIST, tmp_path, True)
    assert calls[0][0][:4] == [sys.executable, "-m", "pip", "download"]


def test_pip_is_asked_for_the_source_alone(tmp_path, monkeypatch):
    calls = pip_that(monkeypatch, writes=CONTENT)
    get_sdist(SDIST, tmp_path, True)
    command = calls[0][0]
    assert "--no-deps" in command
    assert command[command.index("--no-binary") + 1] == "Project"


def test_pip_is_held_to_the_hash(tmp_path, monkeypatch):
    seen = []

    def run(command, **options):
        requirements = command[command.index("--requirement") + 1]
        seen.append(Path(requirements).read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(_sdist.subprocess, "run", run)
    with pytest.raises(OSError, match="Could not download"):
        get_sdist(SDIST, tmp_path, True)
    assert seen == [f"Project==1.2 --hash=sha256:{SDIST.sha256}\n"]


def test_pip_requires_hashes(tmp_path, monkeypatch):
    calls = pip_that(monkeypatch, writes=CONTENT)
    get_sdist(SDIST, tmp_path, True)
    assert "--require-hashes" in calls[0][0]


def test_pip_can_never_wait_for_a_reply(tmp_path, monkeypatch):
    calls = pip_that(monkeypatch, writes=CONTENT)
    get_sdist(SDIST, tmp_path, True)
    command, options = calls[0]
    assert "--no-input" in command
    assert options["stdin"] == subprocess.DEVNULL


def test_pip_prints_nothing(tmp_path, monkeypatch):
    calls = pip_that(monkeypatch, writes=CONTENT)
    get_sdist(SDIST, tmp_path, True)
    assert calls[0][1]["capture_output"] is True


def test_failure_names_what_was_tried(tmp_path, monkeypatch):
    message = failure_of(monkeypatch, tmp_path, "")
    tried = f"`{sys.executable} -m pip download`"
    assert message.startswith(f"Could not download Project==1.2 with {tried}:")


def test_failure_gives_pips_last_lines(tmp_path, monkeypatch):
    message = failure_of(monkeypatch, tmp_path, "first\nreason\n\nERROR: a\nERROR: b\n")
    assert ":\n    reason\n    ERROR: a\n    ERROR: b\nCheck" in message


def test_failure_leaves_pips_advice_out(tmp_path, monkeypatch):
    message = failure_of(monkeypatch, tmp_path, "ERROR: a\nnote: b\nhint: c\n")
    assert ":\n    ERROR: a\nCheck" in message


def test_failure_says_how_to_do_without_pip(tmp_path, monkeypatch):
    message = failure_of(monkeypatch, tmp_path, "ERROR")
    assert message.endswith(
        "Check the network and the package index that pip uses, or download "
        "Project-1.2.tar.gz from "
        f"https://pypi.org/project/Project/1.2/#files and place it in {tmp_path}."
    )


def test_interpreter_without_pip_is_reported(tmp_path, monkeypatch):
    message = failure_of(monkeypatch, tmp_path, "python: No module named pip\n")
    assert "\n    python: No module named pip\nCheck" in message


def test_interpreter_that_cannot_be_run_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(OSError, match="place it in") as caught:
        get_sdist(SDIST, tmp_path, True)
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_members_are_read_by_name():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in ["a.txt", "b.txt"]:
            member = tarfile.TarInfo(name)
            member.size = 5
            tar.addfile(member, io.BytesIO(name.encode()))
    assert read_members(buffer.getvalue(), ["b.txt"]) == {"b.txt": b"b.txt"}
