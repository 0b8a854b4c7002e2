"""Arrays that are kept in memory, and beyond that in a temporary file."""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO
from weakref import finalize

import numpy as np

from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock

MAX_BYTES_IN_MEMORY = 3 * 2**26
MAX_BYTES_OF_INDEX = 2**26
MAX_BYTES_ON_DISK = 2**31
# What Python needs in memory for each array besides its numbers and its key, or for its
# place in the file: measured, and rounded up.
BYTES_PER_ENTRY = 320
# The part of the free space that a file may take.
_PART_OF_DISK = 4
# Without it, threads and forked processes would share one position in the file.
_HAS_POSITIONED_READS = hasattr(os, "pread")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array is in the file."""

    offset: int
    n_bytes: int
    shape: tuple[int, ...]
    dtype: np.dtype


class KeptArrays:
    """Arrays by key, as many as there is room for.

    Several threads may use it. A forked child reads what was there, and writes only
    into memory.

    The file has no name, so that the system removes it with the process. It is only
    appended to, so that what has been written stays valid. Its pages are in the memory
    that the system uses for files, which makes reading fast as long as memory is free.

    Parameters
    ----------
    max_bytes_in_memory : int
        Of arrays in memory with their keys.
    max_bytes_on_disk : int
    max_bytes_of_index : int
        In memory, of the keys and places of arrays on the disk.
    """

    def __init__(
        self,
        max_bytes_in_memory: int = MAX_BYTES_IN_MEMORY,
        max_bytes_on_disk: int = MAX_BYTES_ON_DISK,
        max_bytes_of_index: int = MAX_BYTES_OF_INDEX,
    ) -> None:
        self._room_in_memory = max_bytes_in_memory
        self._room_on_disk = max_bytes_on_disk if _HAS_POSITIONED_READS else 0
        self._room_in_index = max_bytes_of_index
        self._arrays: dict[bytes, np.ndarray] = {}
        self._places: dict[bytes, _Place] = {}
        self._file: IO[bytes] | None = None
        self._end = 0
        self._owner = os.getpid()
        self._lock = ForkSafeLock(threading.Lock)

    def __len__(self) -> int:
        """Return the number of arrays."""
        return len(self._arrays) + len(self._places)

    def read(self, keys: Iterable[bytes]) -> dict[bytes, np.ndarray]:
        """Return the arrays that are there, by key; they must not be written to."""
        found = {}
        for key in keys:
            array = self._arrays.get(key)
            if array is None and (place := self._places.get(key)) is not None:
                array = self._read_file(place)
            if array is not None:
                found[key] = array
        return found

    def write(self, arrays: Mapping[bytes, np.ndarray]) -> None:
        """Keep copies of arrays as long as there is room for them."""
        with self._lock.current:
            for key, array in arrays.items():
                if key not in self._arrays and key not in self._places:
                    self._write(key, array)

    def _write(self, key: bytes, array: np.ndarray) -> None:
        n_bytes_of_entry = len(key) + BYTES_PER_ENTRY
        n_bytes = array.nbytes + n_bytes_of_entry
        if n_bytes <= self._room_in_memory:
            try:
                self._arrays[key] = array.copy()
            except MemoryError:
                self._room_in_memory = 0
            else:
                self._room_in_memory -= n_bytes
                return
        has_room = (
            array.nbytes <= self._room_on_disk
            and n_bytes_of_entry <= self._room_in_index
        )
        if has_room and os.getpid() == self._owner:
            try:
                self._append(key, array)
            except OSError:
                # The disk is full, or there is no folder for temporary files.
                self._room_on_disk = 0

    def _append(self, key: bytes, array: np.ndarray) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
            finalize(self, self._file.close)
            free = shutil.disk_usage(tempfile.gettempdir()).free
            self._room_on_disk = min(self._room_on_disk, free // _PART_OF_DISK)
        if array.nbytes > self._room_on_disk:
            return
        content = np.ascontiguousarray(array).tobytes()
        n_written = os.pwrite(self._file.fileno(), content, self._end)
        if n_written < len(content):
            self._room_on_disk = 0
            return
        self._places[key] = _Place(self._end, len(content), array.shape, array.dtype)
        self._end += len(content)
        self._room_on_disk -= len(content)
        self._room_in_index -= len(key) + BYTES_PER_ENTRY

    def _read_file(self, place: _Place) -> np.ndarray | None:
        """Return an array of the file, or None if it cannot be read."""
        assert self._file is not None
        try:
            content = os.pread(self._file.fileno(), place.n_bytes, place.offset)
        except OSError:
            return None
        if len(content) < place.n_bytes:
            return None
        return np.frombuffer(content, place.dtype).reshape(place.shape)
