"""Encoding with a cache: only texts that are not in it are encoded."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from sklearn_bert._engine.embedding_cache.entries import (
    describe,
    entries_of,
    keys_of,
    parts_of,
    size_of,
    vectors_of,
    with_all_poolings,
)
from sklearn_bert._engine.embedding_cache.store import Store, StoreError
from sklearn_bert._engine.encoding.encode import (
    Encoded,
    EncodingConfig,
    encode_unchecked,
    scale_rows,
)
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.resolve import ResolvedEncoder
from sklearn_bert._engine.runtime.finite import check_finite
from sklearn_bert._engine.runtime.progress import progress_bar
from sklearn_bert._engine.text.inputs import SAMPLES_PER_CHUNK, Texts
from sklearn_bert._engine.text.repeats import find_repeats

# Several chunks, of which the next is tokenized while one is encoded.
TEXTS_PER_WRITE = 4 * SAMPLES_PER_CHUNK


@dataclass(frozen=True)
class CachedEncoder:
    """An encoder that is loaded only if there is something to encode.

    Attributes
    ----------
    store : Store
    resolved : ResolvedEncoder
    dtype : torch.dtype
        Of the computation.
    load : callable
        Returns the encoder.
    problems : list of str
        Why the store could not be read or written, if so. Features are encoded then.
    """

    store: Store
    resolved: ResolvedEncoder
    dtype: torch.dtype
    load: Callable[[], Encoder]
    problems: list[str] = field(default_factory=list)

    def encode(self, texts: Texts, config: EncodingConfig) -> Encoded:
        """Turn texts into features, and encode each distinct text at most once.

        Parameters
        ----------
        texts : Texts
        config : EncodingConfig

        Returns
        -------
        Encoded

        Raises
        ------
        DeviceMemoryError
            If a batch of one text does not fit into the device's memory.
        NonFiniteError
            If a feature is NaN or infinite. It is not kept in the cache.
        """
        repeats = find_repeats(texts.contents)
        distinct = texts if repeats is None else texts.take(repeats.distinct)
        whole = self._fetch(distinct, config)
        features = np.ascontiguousarray(whole.features[:, : self.resolved.n_kept])
        is_truncated = whole.is_truncated
        if repeats is not None:
            features = features[repeats.index]
            is_truncated = is_truncated[repeats.index]
        if config.normalize:
            scale_rows(features)
        check_finite(features, "Features of texts", dtype=self.dtype)
        return Encoded(features, is_truncated)

    def _fetch(self, texts: Texts, config: EncodingConfig) -> Encoded:
        """Return all features of distinct texts, from the cache or encoded."""
        dtype = np.dtype(np.float64 if self.dtype == torch.float64 else np.float32)
        width = replace(self.resolved, n_kept=None).n_features
        features = np.empty((len(texts), width), dtype)
        result = Encoded(features, np.zeros(len(texts), bool))
        description = describe(self.resolved, dtype, str(self.dtype))
        keys = keys_of(description, parts_of(self.resolved), texts)
        missing = [
            row
            for rows in _blocks(range(len(texts)), SAMPLES_PER_CHUNK)
            for row in self._read(rows, keys, result)
        ]
        if missing:
            self._encode(texts, missing, description, config, result)
        return result

    def _read(
        self, rows: Sequence[int], keys: list[bytes], result: Encoded
    ) -> list[int]:
        """Fill in the rows that are in the cache, and return the others."""
        dtype, n_parts = result.features.dtype, len(keys) // len(result.features)
        width = result.features.shape[1] // n_parts
        wanted = keys[rows[0] * n_parts : (rows[-1] + 1) * n_parts]
        found: dict[bytes, bytes] = {}
        with self._problems_are_noted():
            found = self.store.read(wanted)
        entries = np.array([found.get(key, b"") for key in wanted], dtype=object)
        is_whole = np.array([*map(len, entries)]) == size_of(width, dtype)
        is_known = is_whole.reshape(-1, n_parts).all(axis=1)
        known = rows[0] + np.flatnonzero(is_known)
        parts = entries.reshape(-1, n_parts)[is_known].ravel()
        vectors, is_truncated = vectors_of(parts, width, dtype)
        result.features[known] = vectors.reshape(len(known), n_parts * width)
        result.is_truncated[known] = is_truncated[::n_parts]
        return (rows[0] + np.flatnonzero(~is_known)).tolist()

    def _encode(
        self,
        texts: Texts,
        missing: list[int],
        description: str,
        config: EncodingConfig,
        result: Encoded,
    ) -> None:
        """Encode rows, fill them in, and write them into the cache."""
        kept = with_all_poolings(self.resolved)
        readout = replace(kept.readout, n_kept=None)
        whole = replace(config, readout=readout, normalize=False, label=None)
        parts = parts_of(kept)
        wanted = [parts.index(part) for part in parts_of(self.resolved)]
        encoder = self.load()
        with progress_bar(
            config.label, total=len(missing), unit="text", leave=False
        ) as bar:
            # What an interrupted call has encoded so far remains in the cache.
            for rows in _blocks(missing, TEXTS_PER_WRITE):
                some = texts.take(rows)
                encoded = encode_unchecked(encoder, some, kept.tokenizing, whole)
                vectors = encoded.features.reshape(len(rows), len(parts), -1)
                result.features[rows] = vectors[:, wanted].reshape(len(rows), -1)
                result.is_truncated[rows] = encoded.is_truncated
                keys = keys_of(description, parts, some)
                self._write(vectors, encoded.is_truncated, keys)
                bar.update(len(rows))

    def _write(
        self, vectors: np.ndarray, is_truncated: np.ndarray, keys: list[bytes]
    ) -> None:
        """Write the vectors that are finite, (n_rows, n_parts, width), to the cache."""
        # Part after part, as one part is usually read alone.
        places, rows = np.isfinite(vectors).all(axis=2).T.nonzero()
        entries = entries_of(vectors[rows, places], is_truncated[rows])
        kept = (keys[k] for k in rows * vectors.shape[1] + places)
        with self._problems_are_noted():
            self.store.write(dict(zip(kept, entries, strict=True)))

    @contextmanager
    def _problems_are_noted(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self.problems.append(str(error))


def _blocks(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Yield the rows in blocks."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
