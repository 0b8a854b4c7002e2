"""The cache in the memory of the process."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from sklearn_bert._engine.embedding_cache.store import CacheInfo
from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock

# What Python needs for an entry besides its bytes, measured.
_OVERHEAD = 200


class MemoryStore:
    """Keeps entries in memory, and removes the least recently used ones.

    Parameters
    ----------
    max_bytes : int
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        # The least recently used entry is first.
        self._entries: OrderedDict[bytes, bytes] = OrderedDict()
        self._n_bytes = 0
        self._lock = ForkSafeLock(threading.Lock)

    def read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the entries that are there, by key."""
        with self._lock.current:
            found = {key: self._entries[key] for key in keys if key in self._entries}
            for key in found:
                self._entries.move_to_end(key)
        return found

    def write(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep entries, and remove the oldest ones if they take too much space."""
        with self._lock.current:
            for key, entry in entries.items():
                self._forget(key)
                self._entries[key] = entry
                self._n_bytes += len(entry) + _OVERHEAD
            while self._n_bytes > self.max_bytes:
                self._forget(next(iter(self._entries)))

    def _forget(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._n_bytes -= len(entry) + _OVERHEAD

    def info(self) -> CacheInfo:
        """Return how much is kept."""
        with self._lock.current:
            return CacheInfo(len(self._entries), self._n_bytes, self.max_bytes)

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock.current:
            self._entries.clear()
            self._n_bytes = 0
