"""The tiny pre-trained model."""

import pytest
from masked_lm.making import SENTENCES, make


@pytest.fixture(scope="session")
def fitted():
    return make(n_epochs=60, vocab_size=60, learning_rate=1e-2).fit(SENTENCES)
