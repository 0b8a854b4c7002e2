"""What worker processes gain in a grid search, and what they cost.

``python -m benchmarks.model_selection.workers --help`` lists the options. Leave
OMP_NUM_THREADS unset, which the worker processes would inherit.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from joblib.externals.loky import get_reusable_executor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from benchmarks.shared import report, setup
from benchmarks.shared.data import Split, describe_lengths, draw, read_labeled
from benchmarks.shared.machine import Noise
from benchmarks.shared.measuring import interleave, paired_ratios, spread, stopwatch
from benchmarks.shared.setup import Setup, log
from sklearn_bert import BertClassifier, BertVectorizer

PACKAGES = ("tokenizers", "scikit-learn", "joblib")
COLUMNS = {"seconds": "seconds", "ratio": "times as fast as one process"}
ONE = "n_jobs=1"
N_FOLDS = 3
QUICK_TEXTS = 48


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="has train.tsv")
    add("--n-train", type=int, default=600, help="texts (default: %(default)s)")
    add("--n-jobs", type=int, default=2, help="default: %(default)s")
    add("--repeats", type=int, default=3, help="rounds (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.threads is not None:
        parser.error("--threads must not be given, since joblib divides the threads.")
    options.n_values = 6
    if options.quick:
        options.n_train, options.repeats, options.n_values = QUICK_TEXTS, 1, 2
    return options


def make_searches(given: Setup, n_values: int) -> dict[str, GridSearchCV]:
    """Return a search that fine-tunes, and one that encodes for each value again."""
    reading = {"max_length": given.max_length, "device": given.device}
    tuned = BertClassifier(given.checkpoint, n_epochs=1, random_state=0, **reading)
    frozen = make_pipeline(
        BertVectorizer(given.checkpoint, **reading), LogisticRegression(max_iter=1000)
    )
    rates = np.geomspace(1e-4, 4e-4, n_values).tolist()
    values = np.geomspace(0.1, 10, n_values).tolist()
    grids = {
        "fine-tuning": (tuned, {"learning_rate": rates}),
        "features": (frozen, {"logisticregression__C": values}),
    }
    return {
        name: GridSearchCV(estimator, grid, cv=N_FOLDS, refit=False)
        for name, (estimator, grid) in grids.items()
    }


def make_arms(
    search: GridSearchCV, data: Split, n_jobs: int
) -> dict[str, Callable[[], float]]:
    """Return functions that search and return the seconds it takes."""
    return {
        ONE: partial(search_once, search, data, 1),
        f"n_jobs={n_jobs}, new workers": partial(search_once, search, data, n_jobs),
        f"n_jobs={n_jobs}": partial(search_once, search, data, n_jobs, is_warm=True),
    }


def search_once(
    search: GridSearchCV, data: Split, n_jobs: int, *, is_warm: bool = False
) -> float:
    """Search, with workers that have already worked if they are to be warm."""
    search = search.set_params(n_jobs=n_jobs)
    get_reusable_executor().shutdown(wait=True)
    if is_warm:
        search.fit(*data)
    log.info("n_jobs=%d, %s workers", n_jobs, "warm" if is_warm else "new")
    return stopwatch(lambda: search.fit(*data), lambda: None)


def run(options: argparse.Namespace, given: Setup) -> report.Result:
    """Search and measure everything."""
    data = draw(read_labeled(options.data / "train.tsv"), options.n_train, options.seed)
    result = report.new_result(
        "workers",
        device=given.device,
        packages=PACKAGES,
        settings=setup.describe(
            options, given, "n_train", "n_jobs", "repeats", "n_values"
        ),
        columns=COLUMNS,
    )
    encodings = setup.load_tokenizer(given.checkpoint).encode_batch(data[0])
    lengths = [min(len(one.ids), given.max_length) for one in encodings]
    for kind, search in make_searches(given, options.n_values).items():
        arms = make_arms(search, data, options.n_jobs)
        noise = Noise()
        # Imports transformers, and reads the checkpoint in this process.
        arms[ONE]()
        rounds = interleave(
            arms, repeats=options.repeats, seed=options.seed, settle_s=0.2
        )
        # Only workers that have ended count as the benchmark's own.
        get_reusable_executor().shutdown(wait=True)
        name = f"{options.data.name}, {kind}"
        result["sets"][name] = {
            **describe_lengths(lengths),
            "cpus_of_others": noise.cpus_of_others(),
        }
        result["rows"] += [{"set": name, **row} for row in make_rows(rounds)]
        report.show(result, name, options.json)
    return result


def make_rows(rounds: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Return a row for each arm, compared with one process in the same rounds."""
    return [
        {
            "arm": arm,
            "seconds": spread(seconds),
            "ratio": spread(paired_ratios(rounds[ONE], seconds)),
        }
        for arm, seconds in rounds.items()
    ]


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
