"""What a cache of vectors can do, wherever it keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class StoreError(Exception):
    """A store cannot be read or written; the message is a clause about its folder."""


@dataclass(frozen=True)
class CacheInfo:
    """The content of a cache.

    Attributes
    ----------
    n_vectors : int
        Number of vectors: one per text, layer and pooling.
    n_bytes : int
        Size in bytes.
    max_bytes : int
        Size from which the oldest vectors are removed.
    """

    n_vectors: int
    n_bytes: int
    max_bytes: int


class Store(Protocol):
    """Keeps bytes under keys."""

    def read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the entries that are there and undamaged, by key."""

    def write(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep entries, and remove the oldest ones if they take too much space."""

    def info(self) -> CacheInfo:
        """Return how much is kept."""

    def clear(self) -> None:
        """Remove all entries."""
