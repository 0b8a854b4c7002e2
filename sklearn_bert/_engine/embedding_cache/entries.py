"""Keys and entries: what identifies the vector of a text, and its bytes."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import version

import numpy as np

from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint
from sklearn_bert._engine.checkpoints.source import Source
from sklearn_bert._engine.encoding.pooling import modes_of
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.text.inputs import Texts

# To be raised when the vector of a text changes by more than rounding.
_VERSION = 2
# Of the two digests that a key consists of.
_TEXT_BYTES = 16
_PART_BYTES = 8
_ERRORS = "surrogatepass"
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


def keys_of(description: str, parts: Sequence[str], texts: Texts) -> list[bytes]:
    """Return the keys of all parts of the first text, then those of the second, ..."""
    ends = [_digest_of_part(description, part, texts.n_columns) for part in parts]
    return [digest + end for digest in _digests_of(texts) for end in ends]


def _digest_of_part(description: str, part: str, n_columns: int) -> bytes:
    content = json.dumps([description, part, n_columns]).encode()
    return sha256(content).digest()[:_PART_BYTES]


def _digests_of(texts: Texts) -> list[bytes]:
    contents = [text.encode("utf-8", _ERRORS) for text in texts.first]
    if texts.second is not None:
        contents = [
            len(first).to_bytes(8, "little") + first + second.encode("utf-8", _ERRORS)
            for first, second in zip(contents, texts.second, strict=True)
        ]
    # Processors have instructions for it, unlike for other hashes.
    return [sha256(content).digest()[:_TEXT_BYTES] for content in contents]


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
    entries: Iterable[bytes], width: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors and the flags that :func:`entries_of` was given.

    Parameters
    ----------
    entries : iterable of bytes
        Each of :func:`size_of` bytes.
    width : int
    dtype : dtype

    Returns
    -------
    vectors : ndarray of shape (n, width)
    is_truncated : ndarray of shape (n,), bool
    """
    rows = np.frombuffer(b"".join(entries), np.uint8)
    rows = rows.reshape(-1, size_of(width, dtype))
    return rows[:, 1:].view(dtype), rows[:, 0].astype(bool)


def size_of(width: int, dtype: np.dtype) -> int:
    """Return the size in bytes of the entry of a vector."""
    return 1 + width * dtype.itemsize
