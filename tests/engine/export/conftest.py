"""A Hub of the tests."""

import pytest
from sharing.fake_hub import serve_hub


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub without repositories, in place of the real one."""
    with serve_hub(tmp_path, monkeypatch) as hub:
        yield hub
