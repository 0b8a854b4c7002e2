"""Fitted estimators of all kinds, by name."""

import functools

import pytest

from saving.cases import CASES, Case
from sklearn_bert import load


@pytest.fixture(scope="session")
def case(tiny_bert):
    """Return a function that returns a case with a fitted estimator."""

    @functools.cache
    def make(name):
        estimator, X = CASES[name](str(tiny_bert))
        return Case(estimator, X)

    return make


@pytest.fixture
def reload(tmp_path):
    """Return a function that saves an estimator and loads it again."""

    def reload(estimator, **options):
        path = tmp_path / "reloaded.safetensors"
        estimator.save(path, **options)
        return load(path)

    return reload
