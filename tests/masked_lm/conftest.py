"""A tiny model that has learned."""

import pytest

from masked_lm.making import fit_once


@pytest.fixture(scope="session")
def fitted():
    return fit_once()
