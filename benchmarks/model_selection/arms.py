"""The pipelines that a grid search runs: an encoder, then a logistic regression.

All give vectors of length 1 that are means over the tokens. Each arm imports its
library when it is used, so that one missing library stops no other arm.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from benchmarks.shared.setup import Arm, Setup

CLASSIFIER = "classifier"


@dataclass(frozen=True)
class GridArm(Arm):
    """One way of searching.

    Attributes
    ----------
    runs : tuple of str
        What the searches one after another are called. The second one finds what the
        first one has cached.
    is_slow : bool
        Whether texts are encoded again for each setting. Such an arm is measured once.
    """

    runs: tuple[str, ...] = ("",)
    is_slow: bool = False


def classifier() -> LogisticRegression:
    """Return the last step, whose parameter C is searched."""
    return LogisticRegression(max_iter=1000)


def our_vectorizer(setup: Setup, store: str | Path | None) -> Any:
    """Return the vectorizer of this package."""
    from sklearn_bert import BertVectorizer

    return BertVectorizer(
        setup.checkpoint,
        pooling="mean",
        normalize=True,
        max_length=setup.max_length,
        device=setup.device,
        cache=store,
    )


def without_cache(setup: Setup, folder: Path) -> Pipeline:
    """Return the pipeline with `cache=None`."""
    return _pipeline(our_vectorizer(setup, None))


def in_memory(setup: Setup, folder: Path) -> Pipeline:
    """Return the pipeline with `cache="memory"`, which is emptied."""
    from sklearn_bert import clear_cache

    clear_cache()
    return _pipeline(our_vectorizer(setup, "memory"))


def in_folder(setup: Setup, folder: Path) -> Pipeline:
    """Return the pipeline with `cache=folder`."""
    return _pipeline(our_vectorizer(setup, folder))


def sentence_transformers(setup: Setup, folder: Path) -> Pipeline:
    """Return sentence-transformers as a step that joblib caches."""
    options = {
        "checkpoint": setup.checkpoint,
        "device": setup.device,
        "max_length": setup.max_length,
    }
    step = FunctionTransformer(encode_with_peer, kw_args=options)
    return _pipeline(step, memory=str(folder))


def skrub(setup: Setup, folder: Path) -> Pipeline:
    """Return skrub's encoder, which reads Series."""
    from skrub import LLMEncoder

    encoder = LLMEncoder(setup.checkpoint, n_components=None, device=setup.device)
    return _pipeline(FunctionTransformer(_as_series), encoder)


def _as_series(texts: Sequence[str]) -> Any:
    import pandas as pd

    return pd.Series(texts, name="text")


def encode_with_peer(
    texts: Sequence[str], checkpoint: str, device: str, max_length: int
) -> np.ndarray:
    """Encode with sentence-transformers; the model is loaded once."""
    model = _load_peer(checkpoint, device, max_length)
    return model.encode(list(texts), show_progress_bar=False)


@cache
def _load_peer(checkpoint: str, device: str, max_length: int) -> Any:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(checkpoint, device=device)
    model.max_seq_length = max_length
    return model


def _pipeline(*encoders: Any, memory: str | None = None) -> Pipeline:
    steps = [(f"encoder{k}", encoder) for k, encoder in enumerate(encoders)]
    return Pipeline([*steps, (CLASSIFIER, classifier())], memory=memory)


def all_arms() -> Iterator[GridArm]:
    """Yield every arm, ours first."""
    ours, peer = "sklearn_bert", "sentence_transformers"
    both: Any = {"runs": ("cold", "warm")}
    slow: Any = {"is_slow": True}
    yield GridArm("sklearn_bert-memory", in_memory, ours, **both)
    yield GridArm("sklearn_bert-folder", in_folder, ours, **both)
    yield GridArm("sklearn_bert-none", without_cache, ours, **slow)
    name = "sentence-transformers-Pipeline(memory)"
    yield GridArm(name, sentence_transformers, peer, **both, **slow)
    yield GridArm("skrub-LLMEncoder", skrub, "skrub", **slow)


@contextmanager
def counting() -> Iterator[list[int]]:
    """Collect the numbers of texts that ours and sentence-transformers encode."""
    from sklearn_bert._engine.encoding.encoder import Encoder

    counts: list[int] = []
    read = Encoder.read

    def count_ours(self: Any, batch: Any, *args: Any) -> Any:
        counts.append(len(batch.lengths))
        return read(self, batch, *args)

    with patch.object(Encoder, "read", count_ours), _counting_peer(counts):
        yield counts


@contextmanager
def _counting_peer(counts: list[int]) -> Iterator[None]:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        yield
        return
    encode = SentenceTransformer.encode

    def count(self: Any, sentences: Any, *args: Any, **options: Any) -> Any:
        counts.append(len(sentences))
        return encode(self, sentences, *args, **options)

    with patch.object(SentenceTransformer, "encode", count):
        yield
