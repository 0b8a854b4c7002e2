"""What the tests of Dask, Ray and Spark share: steps of Pipelines, and threads."""

import os
import signal
from pathlib import Path

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin

from sklearn_bert import BertVectorizer


def remove_thread_limits(patch):
    """Leave the threads of workers to their engine: other tests have limited ours."""
    for library in ("OMP", "MKL", "OPENBLAS", "RAYON"):
        patch.delenv(f"{library}_NUM_THREADS", raising=False)


class Step(TransformerMixin, BaseEstimator):
    """A step that keeps no state."""

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True


class Threads(Step):
    """The threads of torch and of tokenizers, after they are used."""

    def transform(self, X):
        numbers = torch.get_num_threads(), int(os.environ["RAYON_NUM_THREADS"])
        return np.tile(numbers, (len(X), 1))


class DyingOnce(Step):
    """Return the texts, but first kill the process of the first call with ``text``."""

    def __init__(self, path, text):
        self.path = path
        self.text = text

    def transform(self, X):
        if self.text in list(X) and not Path(self.path).exists():
            Path(self.path).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return X


class CountingLoads(BertVectorizer):
    """Leave a file in ``folder`` for each encoder that a process is given."""

    folder: Path

    def _encoder(self, *args):
        encoder = super()._encoder(*args)
        Path(self.folder, f"{os.getpid()}-{id(encoder)}").touch()
        return encoder
