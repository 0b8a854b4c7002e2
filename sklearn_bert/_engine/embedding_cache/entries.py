"""Keys and entries: what identifies the vector of a text, and its bytes."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
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
# Of the two digests that a key consists of.
_TEXT_BYTES = 16
_PART_BYTES = 8
# Pooling is cheap compared with a forward pass, and a search may try all three.
_POOLINGS = ("cls", "mean", "max")


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


def with_all_poolings(resolved: ResolvedEncoder) -> ResolvedEncoder:
    """Add the poolings that are kept together, as long as rows have parts.

    Parameters
    ----------
    resolved : ResolvedEncoder

    Returns
    -------
    ResolvedEncoder
        Its :func:`parts_of` include those of `resolved`.
    """
    if _is_one_part(resolved):
        return resolved
    modes = dict.fromkeys([*modes_of(resolved.pooling or ""), *_POOLINGS])
    return replace(resolved, pooling="+".join(modes))


def parts_of(resolved: ResolvedEncoder) -> list[str]:
    """Return the name of each part of a row that has an entry of its own.

    Parts are layers and poolings, so that a row of several gives the rows of each. What
    declared modules have changed, and comparisons, are one part.
    """
    pooling = resolved.pooling or ""
    if _is_one_part(resolved):
        what = [resolved.layers, pooling, resolved.n_modules, resolved.layer_weights]
        return [json.dumps(what)]
    return [
        json.dumps([layer, mode])
        for layer in resolved.layers
        for mode in modes_of(pooling)
    ]


def _is_one_part(resolved: ResolvedEncoder) -> bool:
    return bool(
        resolved.n_modules or resolved.layer_weights or resolved.pooling == "compare"
    )


def keys_of(
    description: str, parts: Sequence[str], texts: Texts
) -> list[tuple[bytes, ...]]:
    """Return, for each text, the key of each part of its row.

    The keys of a text begin alike, so that a database finds them in one place.
    """
    begin = blake2b(description.encode(), digest_size=_TEXT_BYTES)
    ends = [blake2b(x.encode(), digest_size=_PART_BYTES).digest() for x in parts]
    keys = []
    for text in texts.contents:
        pair = text if isinstance(text, tuple) else (text,)
        key = begin.copy()
        for one in pair:
            content = one.encode("utf-8", "surrogatepass")
            key.update(len(content).to_bytes(8, "little"))
            key.update(content)
        digest = key.digest()
        keys.append(tuple([digest + end for end in ends]))
    return keys


def entries_of(vectors: np.ndarray, is_truncated: np.ndarray) -> list[bytes]:
    """Return an entry for each vector: whether its text is truncated, and its numbers.

    Parameters
    ----------
    vectors : ndarray of shape (n, width)
    is_truncated : ndarray of shape (n,), bool
    """
    numbers = np.ascontiguousarray(vectors).view(np.uint8)
    rows = np.hstack([is_truncated.astype(np.uint8)[:, None], numbers])
    return [row.tobytes() for row in rows]


def vectors_of(
    entries: Sequence[bytes], width: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors and the flags that :func:`entries_of` was given.

    Parameters
    ----------
    entries : sequence of bytes
        Each of :func:`size_of` bytes.
    width : int
    dtype : dtype

    Returns
    -------
    vectors : ndarray of shape (n, width)
    is_truncated : ndarray of shape (n,), bool
    """
    size = size_of(width, dtype)
    rows = np.frombuffer(b"".join(entries), np.uint8).reshape(-1, size)
    return np.ascontiguousarray(rows[:, 1:]).view(dtype), rows[:, 0].astype(bool)


def size_of(width: int, dtype: np.dtype) -> int:
    """Return the size in bytes of the entry of a vector."""
    return 1 + width * dtype.itemsize
