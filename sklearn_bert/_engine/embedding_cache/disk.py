"""The cache on disk: an SQLite database in a folder.

Several threads and processes of one machine may use it at once. Every write is a
transaction, so that a process that is killed leaves a valid database. Every entry has a
checksum, and an entry that is damaged is as if it were not there.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from zlib import crc32

from sklearn_bert._engine.embedding_cache.store import CacheInfo, StoreError
from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock

NAME = "embeddings.sqlite3"
# Rows of 1.5 kB fill such a page without much waste.
_PAGE_BYTES = 32768
# How long to wait for other processes, in seconds.
_TIMEOUT = 60.0
_KEYS_PER_QUERY = 500
_CHECKSUM_BYTES = 4
# The part of the entries that is removed when there is no more space.
_REMOVED = 10

# Rows are in the order of writing, and the oldest are removed first.
_CREATE = """
CREATE TABLE IF NOT EXISTS vectors (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, entry BLOB NOT NULL
)
"""
# In the order of the rows, so that neighbors are read from the disk together.
_READ = """
SELECT key, entry FROM vectors
WHERE id IN (SELECT id FROM vectors WHERE key IN ({}))
"""
_SIZES = """
SELECT page_size * (page_count - freelist_count)
FROM pragma_page_size, pragma_page_count, pragma_freelist_count
"""
# SQLite does not work in a child that was forked while a connection was open.
_CONNECTED = ForkSafeLock(threading.Lock, delays_forks=True)


class DiskStore:
    """Keeps entries in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Created when something is written, if it does not exist.
    max_bytes : int
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the entries that are there and undamaged, by key."""
        found: dict[bytes, bytes] = {}
        if not self._exists():
            return found
        with self._open() as database:
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                some = keys[start : start + _KEYS_PER_QUERY]
                marks = ",".join("?" * len(some))
                found |= database.execute(_READ.format(marks), some)
        entries = ((key, checked(key, stored)) for key, stored in found.items())
        return {key: entry for key, entry in entries if entry is not None}

    def write(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep entries, and remove the oldest ones if they take too much space."""
        rows = [(key, checksum(key, entry) + entry) for key, entry in entries.items()]
        self._make_folder()
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT OR REPLACE INTO vectors (key, entry) VALUES (?, ?)", rows
            )
            while _n_bytes(database) > self.max_bytes and _remove_oldest(database):
                pass
            database.execute("COMMIT")

    def info(self) -> CacheInfo:
        """Return how much is kept."""
        if not self._exists():
            return CacheInfo(0, 0, self.max_bytes)
        with self._open() as database:
            (n_vectors,) = database.execute("SELECT COUNT(*) FROM vectors").fetchone()
            return CacheInfo(n_vectors, _n_bytes(database), self.max_bytes)

    def clear(self) -> None:
        """Remove all entries, and give the space back."""
        if not self._exists():
            return
        with self._open() as database:
            database.execute("DELETE FROM vectors")
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _exists(self) -> bool:
        """Tell whether something was written."""
        self._check_is_folder()
        return (self.folder / NAME).exists()

    def _check_is_folder(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise StoreError("which is a file")

    def _make_folder(self) -> None:
        """Create the folder, which only its owner can read, as it tells about texts."""
        self._check_is_folder()
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(f"which cannot be created ({error.strerror})") from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Connect for one operation: connections cannot be shared by processes."""
        # Closing undoes a transaction that an error has interrupted.
        with _CONNECTED.current:
            try:
                with closing(self._connect()) as database:
                    _prepare(database)
                    yield database
            except sqlite3.Error as error:
                problem = f"whose {NAME} cannot be used ({error})"
                raise StoreError(problem) from error

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(
            self.folder / NAME, timeout=_TIMEOUT, isolation_level=None
        )
        # A damaged database may say that an entry is text.
        database.text_factory = bytes
        return database


def _prepare(database: sqlite3.Connection) -> None:
    """Create the table if necessary."""
    if database.execute("PRAGMA journal_mode").fetchone() != (b"wal",):
        database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        _use_log(database)
    # A crash of the machine may lose the last transactions, and nothing else.
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(_CREATE)


def _use_log(database: sqlite3.Connection) -> None:
    """Let others read during a write; waits, as SQLite itself does not wait here."""
    deadline = monotonic() + _TIMEOUT
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if monotonic() > deadline:
                raise
            sleep(0.05)
        else:
            return


def _n_bytes(database: sqlite3.Connection) -> int:
    size: int = database.execute(_SIZES).fetchone()[0]
    return size


def _remove_oldest(database: sqlite3.Connection) -> bool:
    """Remove the oldest entries; return whether there were some."""
    first, last = database.execute("SELECT MIN(id), MAX(id) FROM vectors").fetchone()
    if first is None:
        return False
    until = first + (last - first) // _REMOVED
    database.execute("DELETE FROM vectors WHERE id <= ?", (until,))
    return True


def checked(key: bytes, stored: object) -> bytes | None:
    """Return an entry without its checksum, or None if it is damaged."""
    if not isinstance(stored, bytes):
        return None
    entry = stored[_CHECKSUM_BYTES:]
    return entry if stored[:_CHECKSUM_BYTES] == checksum(key, entry) else None


def checksum(key: bytes, entry: bytes) -> bytes:
    """Return what is stored before an entry."""
    return crc32(entry, crc32(key)).to_bytes(_CHECKSUM_BYTES, "little")
