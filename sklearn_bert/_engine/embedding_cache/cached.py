"""Encoding with a cache: only texts that are not in it are encoded."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from sklearn_bert._engine.embedding_cache.entries import (
    Entry,
    describe,
    keys_of,
    parts_of,
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
        parts = parts_of(self.resolved)
        dtype = np.dtype(np.float64 if self.dtype == torch.float64 else np.float32)
        width = replace(self.resolved, n_kept=None).n_features
        features = np.empty((len(texts), width), dtype)
        result = Encoded(features, np.zeros(len(texts), bool))
        description = describe(self.resolved, dtype, str(self.dtype))
        keys = [
            *zip(*(keys_of(description, part, texts) for part in parts), strict=True)
        ]
        missing = [
            row
            for rows in _blocks(range(len(texts)), SAMPLES_PER_CHUNK)
            for row in self._read(rows, keys, result)
        ]
        if missing:
            self._encode(texts, missing, keys, config, result)
        return result

    def _read(
        self, rows: Sequence[int], keys: list[tuple[bytes, ...]], result: Encoded
    ) -> list[int]:
        """Fill in the rows that are in the cache, and return the others."""
        found: dict[bytes, bytes] = {}
        with self._problems_are_noted():
            found = self.store.read([key for row in rows for key in keys[row]])
        size = 1 + result.features[0].nbytes // len(keys[0])
        missing = []
        for row in rows:
            if any(len(found.get(key, b"")) != size for key in keys[row]):
                missing.append(row)
                continue
            entries = [Entry.parse(found[key]) for key in keys[row]]
            vectors = [entry.vector_of(result.features.dtype) for entry in entries]
            np.concatenate(vectors, out=result.features[row])
            result.is_truncated[row] = entries[0].is_truncated
        return missing

    def _encode(
        self,
        texts: Texts,
        missing: list[int],
        keys: list[tuple[bytes, ...]],
        config: EncodingConfig,
        result: Encoded,
    ) -> None:
        """Encode rows, fill them in, and write them into the cache."""
        whole = replace(
            config,
            readout=replace(config.readout, n_kept=None),
            normalize=False,
            label=None,
        )
        encoder = self.load()
        with progress_bar(
            config.label, total=len(missing), unit="text", leave=False
        ) as bar:
            # What an interrupted call has encoded so far remains in the cache.
            for rows in _blocks(missing, TEXTS_PER_WRITE):
                tokenizing = self.resolved.tokenizing
                encoded = encode_unchecked(encoder, texts.take(rows), tokenizing, whole)
                result.features[rows] = encoded.features
                result.is_truncated[rows] = encoded.is_truncated
                self._write(encoded, [keys[row] for row in rows])
                bar.update(len(rows))

    def _write(self, encoded: Encoded, keys: list[tuple[bytes, ...]]) -> None:
        """Write the parts of rows that are finite into the cache."""
        entries = {
            key: Entry(vector.tobytes(), bool(is_truncated)).to_bytes()
            for row, is_truncated, keys_of_row in zip(
                encoded.features, encoded.is_truncated, keys, strict=True
            )
            if np.isfinite(row).all()
            for key, vector in zip(
                keys_of_row, np.split(row, len(keys_of_row)), strict=True
            )
        }
        with self._problems_are_noted():
            self.store.write(entries)

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
