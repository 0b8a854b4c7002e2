"""What the fine-tuners' defaults are worth beside other values of the same parameters.

``python benchmarks/defaults.py --data DIR`` trains on some of the training rows of five
data sets and scores on others of them; no test file is read. README.md says more.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from statistics import mean, stdev
from typing import Any

# The package of this checkout is what is measured, installed or not.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import numpy as np
from _journal import Journal, Record
from _report import table
from _script import argument_parser, make_setup
from _tasks import TASKS, Split, Task, take
from _threads import set_threads

SETS = ("sst2", "trec", "banking77", "stsb", "wnut17")
DEFAULT = "default"
CHANGES: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "layer_decay=1.0": {"layer_decay": 1.0},
    "learning_rate=1e-4": {"learning_rate": 1e-4},
    "learning_rate=4e-4": {"learning_rate": 4e-4},
    "init='zeros'": {"init": "zeros"},
    "schedule='cosine'": {"schedule": "cosine"},
    "n_epochs=3": {"n_epochs": 3},
    "n_epochs=6": {"n_epochs": 6},
    "pooling='cls'": {"pooling": "cls"},
}
KEY = ("set", "change", "seed", "rows")
QUICK_ROWS = 60


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argument_parser(__doc__, with_arms=False)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="a folder per data set")
    add("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="SET")
    add("--changes", nargs="+", default=["*"], help="names or patterns: 'init*'")
    add("--seeds", type=int, default=3, help="default: %(default)s")
    add("--rows", type=int, default=2000, help="to train on (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.rows = 1, QUICK_ROWS
    return options


def draw(task: Task, data: Path, n_rows: int, seed: int) -> tuple[Split, Split]:
    """Return rows to train on, and half as many others to score on."""
    X, y = task.read(data / task.folder / task.train)
    order = np.random.default_rng(seed).permutation(len(X))
    train, held_out = np.split(order[: n_rows + n_rows // 2], [n_rows])
    return take(X, y, train), take(X, y, held_out)


def has_parameters(task: Task, change: dict[str, Any]) -> bool:
    """Tell whether the task's estimator has the parameters that are changed."""
    return change.keys() <= task.estimator().get_params().keys()


def score(task: Task, splits: tuple[Split, Split], options: Record) -> float:
    """Train with some options; return the first score on the held-out rows."""
    (X, y), (X_held_out, y_held_out) = splits
    estimator = task.estimator(**{**task.options, **options})
    measure = next(iter(task.scores.values()))
    return float(measure(y_held_out, estimator.fit(X, y).predict(X_held_out)))


def all_jobs(
    options: argparse.Namespace,
) -> Iterator[tuple[Record, Task, tuple[Split, Split]]]:
    """Yield what is to be trained, with its rows: all with the first seed, the next."""
    for seed in range(options.seed, options.seed + options.seeds):
        for task in (task for task in TASKS if task.name in options.sets):
            splits = draw(task, options.data, options.rows, seed)
            for name, change in CHANGES.items():
                is_asked = any(
                    fnmatch(name, one) for one in (*options.changes, DEFAULT)
                )
                if is_asked and has_parameters(task, change):
                    job = {"set": task.name, "change": name, "seed": seed}
                    yield {**job, "rows": len(splits[0][0])}, task, splits


def run(options: argparse.Namespace) -> list[Record]:
    """Do all jobs that the file of --json does not hold yet; return those asked for."""
    setup = make_setup(options)
    set_threads(setup.n_threads)
    fixed = {
        "model": setup.checkpoint,
        "max_length": setup.max_length,
        "device": setup.device,
    }
    journal = Journal(options.json, KEY)
    records = []
    for job, task, splits in all_jobs(options):
        if known := journal.find(job):
            records.append(known)
            continue
        start = time.perf_counter()
        change = {**fixed, "random_state": job["seed"], **CHANGES[job["change"]]}
        record = {**job, "score": score(task, splits, change)}
        record["seconds"] = time.perf_counter() - start
        journal.add(record)
        records.append(record)
        print(record, flush=True)
    return records


def differences_table(records: list[Record]) -> str:
    """Lay out the default's scores, and what each change adds on the same rows."""
    scores = {(r["set"], r["change"], r["seed"]): r["score"] for r in records}
    sets = [name for name in SETS if any(key[0] == name for key in scores)]

    def figure(name: str, change: str) -> str:
        is_base = change == DEFAULT
        values = [
            score - (0 if is_base else scores[name, DEFAULT, key[2]])
            for key, score in scores.items()
            if key[:2] == (name, change)
        ]
        return _figure(values, is_signed=not is_base)

    rows = [[change, *(figure(name, change) for name in sets)] for change in CHANGES]
    return table(["", *sets], rows)


def _figure(values: list[float], *, is_signed: bool) -> str:
    if not values:
        return "-"
    spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):{'+' if is_signed else ''}.4f}{spread}"


def main() -> None:
    """Run the benchmark from the command line."""
    print(differences_table(run(parse_arguments())))


if __name__ == "__main__":
    main()
