"""What a store of vectors costs: SQLite, as the package uses it, and LMDB.

``python -m benchmarks.model_selection.store --help`` lists the options;
benchmarks/README.md says how to read the tables.
"""

import argparse
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.encoding.texts import default_texts
from benchmarks.model_selection.arms import our_vectorizer
from benchmarks.shared import report, setup
from benchmarks.shared.machine import Noise, set_threads
from benchmarks.shared.measuring import stopwatch, synchronizer
from benchmarks.shared.setup import Arm, log
from sklearn_bert._engine.embedding_cache.cached import TEXTS_PER_WRITE
from sklearn_bert._engine.embedding_cache.disk import DiskStore, checked, checksum
from sklearn_bert._engine.text.inputs import SAMPLES_PER_CHUNK

PACKAGES = ("lmdb",)
COLUMNS = {
    "write_s": "write s",
    "read_warm_s": "read warm s",
    "read_shuffled_s": "read warm, shuffled s",
    "read_cold_s": "read cold s",
    "write_by_four_s": "four writers s",
    "size_ratio": "size / floats",
    "warm_to_encoding": "read warm, times encoding",
    "cold_to_encoding": "read cold, times encoding",
}
WIDTH = 384
N_WRITERS = 4
QUICK_VECTORS, QUICK_TEXTS = 2000, 20
N_TEXTS = 2000
MAX_BYTES = 2**40

Entries = dict[bytes, bytes]


@dataclass(frozen=True)
class Lmdb:
    """The same interface as the package's store, on LMDB, with the same checksums."""

    folder: Path

    def write(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep entries."""
        self.folder.mkdir(exist_ok=True)
        with self._open() as database, database.begin(write=True) as transaction:
            for key, entry in entries.items():
                transaction.put(key, checksum(key, entry) + entry)

    def read(self, keys: Sequence[bytes]) -> Entries:
        """Return the entries that are there and undamaged."""
        with self._open() as database, database.begin() as transaction:
            found = ((key, checked(key, transaction.get(key))) for key in keys)
            return {key: entry for key, entry in found if entry is not None}

    def _open(self) -> Any:
        import lmdb

        return lmdb.open(str(self.folder), map_size=MAX_BYTES)


def sqlite(folder: Path) -> Any:
    """Return the package's store."""
    return DiskStore(folder, MAX_BYTES)


ARMS = [Arm("sqlite", sqlite, "sqlite3"), Arm("lmdb", Lmdb, "lmdb")]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--vectors", type=int, default=10**6, help="default: %(default)s")
    add("--folder", type=Path, metavar="DIR", help="on the disk to measure")
    options = parser.parse_args(arguments)
    if options.quick:
        options.vectors = QUICK_VECTORS
    return options


def entries_between(start: int, stop: int) -> Entries:
    """Return made-up entries, each of a flag and 384 numbers."""
    numbers = np.random.default_rng(start).random((stop - start, WIDTH), np.float32)
    return {
        key: b"\0" + row.tobytes()
        for key, row in zip(keys_between(start, stop), numbers, strict=True)
    }


def keys_between(start: int, stop: int) -> list[bytes]:
    """Return the keys of these entries, as random as digests are."""
    return [sha256(str(k).encode()).digest()[:24] for k in range(start, stop)]


def blocks(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the borders of blocks."""
    for first in range(start, stop, size):
        yield first, min(first + size, stop)


def measure(arm: Arm, folder: Path, n: int) -> dict[str, Any]:
    """Write and read one store."""
    log.info("writing: %s", arm.name)
    store = arm.make(folder / "one")
    row = {"write_s": write(store, 0, n)}
    size = sum(file.stat().st_size for file in store.folder.iterdir())
    row["size_ratio"] = size / (n * WIDTH * 4)
    log.info("reading: %s", arm.name)
    keys = keys_between(0, n)
    row["read_warm_s"] = read(store, keys)
    shuffled = [keys[k] for k in np.random.default_rng(0).permutation(n)]
    row["read_shuffled_s"] = read(store, shuffled)
    row["read_cold_s"] = read(arm.make(uncached_copy(store.folder)), keys)
    log.info("four writers: %s", arm.name)
    row["write_by_four_s"] = write_by_four(arm, folder / "four", n)
    return row


def write(store: Any, start: int, stop: int) -> float:
    """Write entries, and return the seconds that the store took."""
    seconds = 0.0
    for first, last in blocks(start, stop, TEXTS_PER_WRITE):
        seconds += _timed(partial(store.write, entries_between(first, last)))
    return seconds


def read(store: Any, keys: list[bytes]) -> float:
    """Read entries, and return the seconds."""
    n_found = 0

    def read_all() -> None:
        nonlocal n_found
        for first, last in blocks(0, len(keys), SAMPLES_PER_CHUNK):
            n_found += len(store.read(keys[first:last]))

    seconds = _timed(read_all)
    if n_found != len(keys):
        raise RuntimeError(f"only {n_found} of {len(keys)} vectors were found")
    return seconds


def uncached_copy(folder: Path) -> Path:
    """Copy a store, and evict the copy from the page cache.

    Linux and BSD drop pages from the cache once they are written.
    """
    copy = folder.with_name(folder.name + "-copy")
    shutil.copytree(folder, copy)
    for file in copy.iterdir():
        handle = os.open(file, os.O_RDONLY)
        os.fsync(handle)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)
    return copy


def write_by_four(arm: Arm, folder: Path, n: int) -> float:
    """Let four processes write a quarter each, and check that nothing is lost."""
    borders = list(blocks(0, n, -(-n // N_WRITERS)))
    with ProcessPoolExecutor(N_WRITERS, get_context("spawn")) as pool:
        # Starting the processes does not count.
        list(pool.map(_write_part, [arm.name] * N_WRITERS, [folder] * N_WRITERS))
        parts = [
            pool.submit(_write_part, arm.name, folder, *border) for border in borders
        ]
        seconds = _timed(lambda: [part.result() for part in parts])
    read(arm.make(folder), keys_between(0, n))
    return seconds


def _write_part(name: str, folder: Path, start: int = 0, stop: int = 0) -> None:
    arm = next(arm for arm in ARMS if arm.name == name)
    write(arm.make(folder), start, stop)


def _timed(call: Callable[[], Any]) -> float:
    return stopwatch(call, synchronizer("cpu"))


def run(options: argparse.Namespace, given: setup.Setup) -> report.Result:
    """Measure both stores, and the encoder."""
    set_threads(given.n_threads)
    n = options.vectors
    result = report.new_result(
        "store",
        device=given.device,
        packages=PACKAGES,
        settings=setup.describe(options, given, "vectors"),
        columns=COLUMNS,
    )
    noise = Noise()
    texts = default_texts()[: QUICK_TEXTS if options.quick else N_TEXTS]
    vectorizer = our_vectorizer(given, None)
    vectorizer.transform(texts[:QUICK_TEXTS])
    encode = partial(vectorizer.transform, texts)
    texts_per_s = len(texts) / stopwatch(encode, synchronizer(given.device))

    def measure_alone(arm: Arm) -> dict[str, Any]:
        with TemporaryDirectory(dir=options.folder) as folder:
            row = measure(arm, Path(folder), n)
        for name in ("warm", "cold"):
            vectors_per_s = n / row[f"read_{name}_s"]
            row[f"{name}_to_encoding"] = vectors_per_s / texts_per_s
        return row

    rows, refused = setup.try_arms(ARMS, measure_alone, given.device)
    result["sets"]["vectors"] = {
        "n_vectors": n,
        "width": WIDTH,
        "encoded_texts_per_s": texts_per_s,
        "cpus_of_others": noise.cpus_of_others(),
    }
    measured = [{"arm": arm.name, **row} for arm, row in rows.items()]
    result["rows"] = [{"set": "vectors", **row} for row in (*measured, *refused)]
    report.show(result, "vectors", options.json)
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
