"""What a search over partly frozen classifiers costs, with and without reuse.

``python -m benchmarks.model_selection.frozen_layers --help`` lists the options. Each
search tries six learning rates in three folds. The arms differ in what is computed of
the frozen layers: everything in every step, as if reuse did not exist; the same layers
as with reuse, but nothing is kept; or each text once.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV, KFold

from benchmarks.shared import report, setup
from benchmarks.shared.data import Split, describe_lengths, draw, read_labeled
from benchmarks.shared.machine import Noise, set_threads
from benchmarks.shared.measuring import interleave, paired_ratios, spread, stopwatch
from benchmarks.shared.setup import log
from sklearn_bert import BertClassifier
from sklearn_bert._engine.encoding.encoder_cache import EncoderCache
from sklearn_bert._engine.encoding.frozen import shared
from sklearn_bert._engine.encoding.frozen.kept_arrays import KeptArrays
from sklearn_bert._fine_tuning import trainable

COLUMNS = {
    "seconds": "seconds",
    "times_faster": "times every step",
    "bound": "at most, by arithmetic",
    "accuracy": "accuracy",
    "weights_differ_by": "weights differ by",
}
EVERY_STEP, NOT_KEPT, ONCE = "every step", "not kept", "once"
LEARNING_RATES = (5e-5, 1e-4, 2e-4, 3e-4, 4e-4, 6e-4)
N_FOLDS = 3
QUICK_TEXTS = 60


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="has train.tsv")
    add("--n-train", type=int, default=3000, help="texts, drawn once (default: 3000)")
    add("--freeze", nargs="+", default=["4", "5", "encoder"], help="default: all three")
    add("--epochs", type=int, default=4, help="default: %(default)s")
    add("--dtype", default="auto", help="of the training (default: auto)")
    add("--repeats", type=int, default=1, help="rounds (default: 1)")
    options = parser.parse_args(arguments)
    options.rates = LEARNING_RATES[:2] if options.quick else LEARNING_RATES
    if options.quick:
        options.n_train, options.epochs = QUICK_TEXTS, 1
    return options


def bound(n_layers: int, n_frozen: int, n_epochs: int, n_fits: int) -> float:
    """Return how many times faster a search with reuse can be.

    Counted are the passes of a text through a layer. A backward pass costs twice as
    much as a forward pass. Of each fit, two thirds of the texts are in the linear probe
    and in the epochs, and one third is predicted.
    """

    def cost(n_computed: int) -> float:
        training = n_computed + 2 * (n_layers - n_frozen)
        trained = n_epochs * training + n_computed
        return ((N_FOLDS - 1) * trained + n_computed) / N_FOLDS

    return n_fits * cost(n_layers) / (n_fits * cost(n_layers - n_frozen) + n_frozen)


@contextmanager
def reuse(kind: str) -> Iterator[None]:
    """Start with nothing kept, and compute frozen layers in one of three ways."""
    kept, compute = shared.KEPT, trainable.compute_frozen_once
    room = (0, 0) if kind == NOT_KEPT else ()
    shared.KEPT = EncoderCache(lambda *_: KeptArrays(*room))
    if kind == EVERY_STEP:
        trainable.compute_frozen_once = lambda trainable, *_: trainable
    try:
        yield
    finally:
        shared.KEPT, trainable.compute_frozen_once = kept, compute


def run(options: argparse.Namespace, given: setup.Setup) -> report.Result:
    """Search and measure everything."""
    set_threads(given.n_threads)
    data = draw(read_labeled(options.data / "train.tsv"), options.n_train, options.seed)
    fields = ("n_train", "freeze", "epochs", "dtype", "repeats")
    result = report.new_result(
        "frozen_layers",
        device=given.device,
        packages=("tokenizers", "scikit-learn"),
        settings=setup.describe(options, given, *fields),
        columns=COLUMNS,
    )
    arms = {
        (freeze, kind): searcher(options, given, data, freeze, kind)
        for freeze in options.freeze
        for kind in (EVERY_STEP, NOT_KEPT, ONCE)
    }
    # The first search of a process loads what the others find.
    few = draw(data, QUICK_TEXTS, 0)
    searcher(options, given, few, options.freeze[0], ONCE)()
    noise = Noise()
    names = {name_of(*arm): job for arm, job in arms.items()}
    rounds = interleave(
        names,
        repeats=options.repeats,
        seed=options.seed,
        settle_s=0.0 if options.quick else 0.2,
    )
    encodings = setup.load_tokenizer(given.checkpoint).encode_batch(data[0])
    name = options.data.name
    result["sets"][name] = {
        **describe_lengths([min(len(x.ids), given.max_length) for x in encodings]),
        "cpus_of_others": noise.cpus_of_others(),
    }
    rows = [row for freeze in options.freeze for row in make_rows(rounds, freeze)]
    for row in rows:
        if row["arm"].endswith(ONCE):
            best = rounds[row["arm"]][0]["search"].best_estimator_
            n_layers = best.encoder_.architecture.n_layers
            n_frozen = n_layers if best.freeze == "encoder" else best.freeze
            n_fits = N_FOLDS * len(options.rates)
            row["bound"] = bound(n_layers, n_frozen, options.epochs, n_fits)
    result["rows"] = [{"set": name, **row} for row in rows]
    report.show(result, name, options.json)
    return result


def name_of(freeze: str, kind: str) -> str:
    """Return the name of an arm in the table."""
    return f"freeze={freeze}, {kind}"


def searcher(
    options: argparse.Namespace,
    given: setup.Setup,
    data: Split,
    freeze: str,
    kind: str,
) -> Callable[[], dict[str, Any]]:
    """Return a function that searches once, and fits a model with the best rate."""

    def search_once() -> dict[str, Any]:
        log.info("searching: %s", name_of(freeze, kind))
        classifier = BertClassifier(
            given.checkpoint,
            max_length=given.max_length,
            device=given.device,
            freeze=int(freeze) if freeze.isdigit() else freeze,
            n_epochs=options.epochs,
            dtype=options.dtype,
            random_state=0,
        )
        search = GridSearchCV(
            classifier,
            {"learning_rate": list(options.rates)},
            # Drawn texts may have classes of fewer texts than there are folds.
            cv=KFold(N_FOLDS, shuffle=True, random_state=0),
            refit=False,
        )
        with reuse(kind):
            seconds = stopwatch(partial(search.fit, *data), lambda: None)
            # Not timed. All arms compare the weights of the same fit.
            search.best_estimator_ = classifier.fit(*draw(data, QUICK_TEXTS, 0))
        return {"seconds": seconds, "search": search}

    return search_once


def make_rows(
    rounds: dict[str, list[dict[str, Any]]], freeze: str
) -> list[dict[str, Any]]:
    """Return a row for each way of computing the frozen layers."""
    slow, same, _ = (
        rounds[name_of(freeze, kind)] for kind in (EVERY_STEP, NOT_KEPT, ONCE)
    )
    rows = []
    for kind in (EVERY_STEP, NOT_KEPT, ONCE):
        measured = rounds[name_of(freeze, kind)]
        seconds = [one["seconds"] for one in measured]
        before = [one["seconds"] for one in slow]
        search = measured[0]["search"]
        rows.append(
            {
                "arm": name_of(freeze, kind),
                "seconds": spread(seconds),
                "times_faster": spread(paired_ratios(before, seconds)),
                "accuracy": float(max(search.cv_results_["mean_test_score"])),
                "weights_differ_by": largest_difference(
                    search.best_estimator_, same[0]["search"].best_estimator_
                ),
            }
        )
    return rows


def largest_difference(a: BertClassifier, b: BertClassifier) -> str:
    """Return the largest difference between two weights."""
    pairs = [(a.coef_, b.coef_)]
    pairs += [
        (a.encoder_.weights[k], b.encoder_.weights[k]) for k in a.encoder_.weights
    ]
    return f"{max(float(np.abs(x - y).max()) for x, y in pairs):.0e}"


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
