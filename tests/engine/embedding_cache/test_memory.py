"""The cache in memory is bounded, and forgets what was used longest ago."""

from sklearn_bert._engine.embedding_cache.memory import MemoryStore

# With what Python needs besides.
SIZE = 300
ENTRY = b"x" * 100


def test_what_is_written_is_read():
    store = MemoryStore(10 * SIZE)
    store.write({b"a": ENTRY, b"b": b"other"})
    assert store.read([b"b", b"c", b"a"]) == {b"a": ENTRY, b"b": b"other"}


def test_the_least_recently_used_entries_are_removed():
    store = MemoryStore(3 * SIZE)
    store.write(dict.fromkeys((b"a", b"b", b"c"), ENTRY))
    store.read([b"a"])
    store.write({b"d": ENTRY})
    assert {*store.read([b"a", b"b", b"c", b"d"])} == {b"a", b"c", b"d"}


def test_an_entry_that_is_written_again_is_counted_once():
    store = MemoryStore(3 * SIZE)
    for _ in range(5):
        store.write({b"a": ENTRY})
    info = store.info()
    assert (info.n_vectors, info.n_bytes, info.max_bytes) == (1, SIZE, 3 * SIZE)


def test_nothing_remains_after_clearing():
    store = MemoryStore(3 * SIZE)
    store.write({b"a": ENTRY})
    store.clear()
    assert store.read([b"a"]) == {}
    assert (store.info().n_vectors, store.info().n_bytes) == (0, 0)
