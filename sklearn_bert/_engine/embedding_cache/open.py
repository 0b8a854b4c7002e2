"""Where caches are: one in the memory of the process, and one in each folder."""

import os
from pathlib import Path

from sklearn_bert._engine.embedding_cache.disk import DiskStore
from sklearn_bert._engine.embedding_cache.memory import MemoryStore
from sklearn_bert._engine.embedding_cache.store import Store

MEMORY = "memory"
_MAX_BYTES_IN_MEMORY = 2**30
_MAX_BYTES_ON_DISK = 16 * 2**30

_MEMORY_STORE = MemoryStore(_MAX_BYTES_IN_MEMORY)


def open_store(cache: str | os.PathLike[str]) -> Store:
    """Return the cache in memory for "memory", or that in a folder.

    Raises
    ------
    ValueError
        If the folder has no name.
    """
    if not os.fspath(cache):
        raise ValueError(
            "cache must be 'memory', the name of a folder or None. Got ''. Pass the "
            "name of a folder, or '.' for the current one."
        )
    if cache == MEMORY:
        return _MEMORY_STORE
    return DiskStore(Path(cache).expanduser(), _MAX_BYTES_ON_DISK)
