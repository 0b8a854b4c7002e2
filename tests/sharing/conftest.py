"""Fitted estimators, and a Hub of the tests."""

import functools

import pytest
from saving.cases import CASES

from sharing.fake_hub import serve_hub


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub without repositories, in place of the real one."""
    with serve_hub(tmp_path, monkeypatch) as hub:
        yield hub


@pytest.fixture(scope="session")
def fitted(tiny_bert):
    """Return a function that returns a fitted estimator by the name of its case."""
    return functools.cache(lambda name: CASES[name](str(tiny_bert))[0])
