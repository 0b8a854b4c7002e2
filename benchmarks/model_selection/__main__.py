"""What a grid search over frozen features costs, with and without a cache.

``python -m benchmarks.model_selection --help`` lists the options; benchmarks/README.md
says how to read the tables.
"""

import argparse
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV, KFold

from benchmarks.model_selection.arms import (
    CLASSIFIER,
    GridArm,
    all_arms,
    classifier,
    counting,
    our_vectorizer,
)
from benchmarks.shared import report, setup
from benchmarks.shared.data import Split, describe_lengths, draw, read_labeled, take
from benchmarks.shared.machine import Noise, set_threads
from benchmarks.shared.measuring import (
    interleave,
    paired_ratios,
    spread,
    stopwatch,
    synchronizer,
)
from benchmarks.shared.setup import log

PACKAGES = ("tokenizers", "scikit-learn", "joblib", "sentence-transformers", "skrub")
COLUMNS = {
    "seconds": "seconds",
    "n_encoded": "texts encoded",
    "to_encode_and_fits": "times one encode + fits",
    "to_fits": "times the fits",
    "accuracy": "accuracy",
}
# Parts of a search, measured alone: all texts encoded once, and the search over C on
# features that are ready.
ENCODE, FITS = "one encode", "fits"
N_FOLDS, N_VALUES = 5, 20
QUICK_TEXTS, QUICK_VALUES, QUICK_CLASSES = 60, 2, 4

# The measurements of an arm in one round: by the name of the run.
Runs = dict[str, dict[str, Any]]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--arms", nargs="+", default=["*"], help="names or patterns: 'sklearn*'")
    add("--data", type=Path, metavar="DIR", required=True, help="has train.tsv")
    add("--n-train", type=int, help="search on so many texts, drawn once")
    add("--repeats", type=int, default=3, help="rounds of the fast arms (default: 3)")
    options = parser.parse_args(arguments)
    options.n_values = QUICK_VALUES if options.quick else N_VALUES
    if options.quick:
        options.repeats = 1
    return options


def run(options: argparse.Namespace, given: setup.Setup) -> report.Result:
    """Search and measure everything."""
    set_threads(given.n_threads)
    names = setup.choose([arm.name for arm in all_arms()], options.arms, "--arms")
    arms = [arm for arm in all_arms() if arm.name in names]
    data = read_labeled(options.data / "train.tsv")
    few = few_of(data)
    data = few if options.quick else draw(data, options.n_train, options.seed)
    result = report.new_result(
        "model_selection",
        device=given.device,
        packages=PACKAGES,
        settings=setup.describe(options, given, "n_train", "repeats", "n_values"),
        columns=COLUMNS,
    )

    def warm_up(arm: GridArm) -> None:
        search_all(arm, given, few, QUICK_VALUES)

    running, refused = setup.try_arms(arms, warm_up, given.device)
    jobs = {
        arm.name: partial(search_all, arm, given, data, options.n_values)
        for arm in running
    }
    slow = [arm.name for arm in running if arm.is_slow]
    fast = {name: job for name, job in jobs.items() if name not in slow}
    parts = {
        ENCODE: partial(encode_once, given, data),
        FITS: partial(fit_all, given, data, options.n_values),
    }
    noise = Noise()
    settle_s = 0.0 if options.quick else 0.2
    turns = partial(interleave, seed=options.seed, settle_s=settle_s)
    rounds = turns({**parts, **fast}, repeats=options.repeats)
    rounds |= turns({name: jobs[name] for name in slow}, repeats=1)
    encodings = setup.load_tokenizer(given.checkpoint).encode_batch(data[0])
    name = options.data.name
    result["sets"][name] = {
        **describe_lengths([min(len(x.ids), given.max_length) for x in encodings]),
        "n_distinct": len({*data[0]}),
        "n_classes": len(np.unique(data[1])),
        "cpus_of_others": noise.cpus_of_others(),
    }
    result["rows"] = [{"set": name, **row} for row in (*make_rows(rounds), *refused)]
    report.show(result, name, options.json)
    return result


def few_of(data: Split) -> Split:
    """Return some texts of few classes, which shows that all arms run."""
    is_chosen = np.isin(data[1], np.unique(data[1])[:QUICK_CLASSES])
    return draw(take(data, np.flatnonzero(is_chosen)), QUICK_TEXTS, 0)


def search_all(arm: GridArm, given: setup.Setup, data: Split, n_values: int) -> Runs:
    """Run the searches of an arm one after another, from an empty cache."""
    with TemporaryDirectory() as folder:
        pipeline = arm.make(given, Path(folder, "cache"))
        return {
            name: _search(pipeline, data, n_values, given.device, arm.name)
            for name in arm.runs
        }


def encode_once(given: setup.Setup, data: Split) -> Runs:
    """Encode all texts with this package."""
    encode = partial(our_vectorizer(given, None).transform, data[0])
    with counting() as counts:
        seconds = stopwatch(encode, synchronizer(given.device))
    return {"": {"seconds": seconds, "n_encoded": sum(counts)}}


def fit_all(given: setup.Setup, data: Split, n_values: int) -> Runs:
    """Search over C on features that are ready."""
    features = our_vectorizer(given, None).transform(data[0])
    ready = (features, data[1])
    return {"": _search(classifier(), ready, n_values, given.device, FITS)}


def _search(
    estimator: Any, data: Any, n_values: int, device: str, name: str
) -> dict[str, Any]:
    log.info("searching: %s", name)
    prefix = f"{CLASSIFIER}__" if hasattr(estimator, "steps") else ""
    search = GridSearchCV(
        estimator,
        {f"{prefix}C": np.logspace(-2, 2, n_values)},
        # Drawn texts may have classes of fewer texts than there are folds.
        cv=KFold(N_FOLDS, shuffle=True, random_state=0),
    )
    with counting() as counts:
        seconds = stopwatch(partial(search.fit, *data), synchronizer(device))
    accuracy = float(search.best_score_)
    return {"seconds": seconds, "n_encoded": sum(counts), "accuracy": accuracy}


def make_rows(rounds: dict[str, list[Runs]]) -> list[dict[str, Any]]:
    """Return a row for each run of each arm."""
    encode, fits = (
        [one[""]["seconds"] for one in rounds[name]] for name in (ENCODE, FITS)
    )
    both = [a + b for a, b in zip(encode, fits, strict=True)]
    rows = []
    for arm, measured in rounds.items():
        for run_name in measured[0]:
            runs = [one[run_name] for one in measured]
            seconds = [one["seconds"] for one in runs]
            n = len(seconds)
            rows.append(
                {
                    "arm": f"{arm} {run_name}".strip(),
                    "seconds": spread(seconds),
                    "n_encoded": runs[0]["n_encoded"],
                    "to_encode_and_fits": spread(paired_ratios(seconds, both[:n])),
                    "to_fits": spread(paired_ratios(seconds, fits[:n])),
                    "accuracy": runs[0].get("accuracy"),
                }
            )
    return rows


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
