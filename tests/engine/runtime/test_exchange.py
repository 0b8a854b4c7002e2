"""Two folders are exchanged at once, or it is an error."""

import errno
import os
import sys

import pytest

from sklearn_bert._engine.runtime.exchange import exchange


@pytest.mark.skipif(sys.platform != "linux", reason="not every file system can do it")
def test_folders_are_exchanged(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
    exchange(tmp_path / "first", tmp_path / "second")
    assert os.listdir(tmp_path / "first") == ["second"]
    assert os.listdir(tmp_path / "second") == ["first"]


def test_an_exchange_that_fails_is_an_error(tmp_path):
    with pytest.raises(OSError, match=r"."):
        exchange(tmp_path / "first", tmp_path / "second")


def test_systems_without_an_exchange_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OSError, match=r".") as caught:
        exchange(tmp_path, tmp_path)
    assert caught.value.errno == errno.ENOSYS
