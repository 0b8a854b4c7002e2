"""A tiny classifier as a function of its token embeddings."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.attribution.model import EmbeddedModel, Sample
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.encoding.readout import PooledReadout
from sklearn_bert._engine.training.heads import LinearHead

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def make_embedded():
    """Return a function that makes a model of a checkpoint with a random head."""

    def make(folder, readout=None, *, head=None, dtype=torch.float64):
        rng = np.random.RandomState(0)
        if head is None:
            head = LinearHead(rng.randn(3, 32), rng.randn(3))
        checkpoint = load(locate(str(folder), None))
        readout = readout or PooledReadout("mean")
        return EmbeddedModel(checkpoint, readout, head, CPU, dtype)

    return make


@pytest.fixture
def embedded(make_embedded, tiny_bert):
    """The model of the tiny BERT."""
    return make_embedded(tiny_bert)


@pytest.fixture(scope="session")
def read_sample():
    """Return a function that makes a sample of a text, each token of which is a word"""

    def read(model, text, **options):
        options = {"max_length": 64, "long_text": "window", **options}
        sequences = model.encoder.tokenizer([text], None, **options)
        ends = model.encoder.tokenizer.controls
        count = iter(range(1000))
        words = [
            [-1 if id_ in ends else next(count) for id_ in ids] for ids in sequences.ids
        ]
        return Sample.sort(sequences, words)

    return read
