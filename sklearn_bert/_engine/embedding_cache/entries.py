"""Keys and entries: what identifies the vector of a text, and its bytes."""

import json
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import version

import numpy as np

from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint
from sklearn_bert._engine.checkpoints.source import Source
from sklearn_bert._engine.encoding.pooling import modes_of
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.text.inputs import Texts

# To be raised when the vector of a text changes by more than rounding.
_VERSION = 1
_KEY_BYTES = 16


def describe(resolved: ResolvedEncoder, dtype: np.dtype, computed_in: str) -> str:
    """Return all that shapes the vectors of texts, but the pooling and the layers.

    Parameters
    ----------
    resolved : ResolvedEncoder
    dtype : dtype
        Of the vectors.
    computed_in : str
        Dtype of the computation.
    """
    content = {
        "version": _VERSION,
        "packages": _versions(),
        "content": _identity(resolved.source),
        "architecture": asdict(resolved.architecture),
        "tokenizing": asdict(resolved.tokenizing),
        "dtypes": [dtype.str, computed_in],
    }
    return json.dumps(content, sort_keys=True)


def _identity(source: Source) -> dict[str, str]:
    """Return checksums of what is there, whatever a file says about itself."""
    if isinstance(source, PackedCheckpoint):
        return {"weights": source.content_digest}
    return source.digests


@cache
def _versions() -> dict[str, str]:
    """Return the versions of the packages that split texts and define the models."""
    return {name: version(name) for name in ("tokenizers", "transformers")}


def parts_of(resolved: ResolvedEncoder) -> list[str]:
    """Return the name of each part of a row that has an entry of its own.

    Parts are layers and poolings, so that a row of several gives the rows of each. What
    declared modules have changed, and comparisons, are one part.
    """
    pooling, weights = resolved.pooling or "", resolved.layer_weights
    if resolved.n_modules or weights or pooling == "compare":
        return [json.dumps([resolved.layers, pooling, resolved.n_modules, weights])]
    return [
        json.dumps([layer, mode])
        for layer in resolved.layers
        for mode in modes_of(pooling)
    ]


def keys_of(description: str, part: str, texts: Texts) -> list[bytes]:
    """Return the key of each text."""
    begin = blake2b(json.dumps([description, part]).encode(), digest_size=_KEY_BYTES)
    keys = []
    for text in texts.contents:
        pair = text if isinstance(text, tuple) else (text,)
        key = begin.copy()
        for one in pair:
            content = one.encode("utf-8", "surrogatepass")
            key.update(len(content).to_bytes(8, "little"))
            key.update(content)
        keys.append(key.digest())
    return keys


@dataclass(frozen=True)
class Entry:
    """What the cache keeps of one text.

    Attributes
    ----------
    content : bytes
        The numbers of the vector.
    is_truncated : bool
        Whether the text was truncated.
    """

    content: bytes
    is_truncated: bool

    @classmethod
    def parse(cls, stored: bytes) -> "Entry":
        """Return the entry that :meth:`to_bytes` wrote."""
        return cls(stored[1:], bool(stored[0]))

    def to_bytes(self) -> bytes:
        """Return the entry as bytes."""
        return bytes([self.is_truncated]) + self.content

    def vector_of(self, dtype: np.dtype) -> np.ndarray:
        """Return the vector, which has this dtype."""
        return np.frombuffer(self.content, dtype)
