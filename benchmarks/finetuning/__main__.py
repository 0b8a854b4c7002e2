"""How fast an encoder is fine-tuned and how well it classifies, compared with others.

``python -m benchmarks.finetuning --help`` lists the options; benchmarks/README.md says
how to read the tables.
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.finetuning.arms import (
    BASELINE,
    FOR_FEW_TEXTS,
    TUNED,
    all_arms,
    train_once,
)
from benchmarks.shared import report, setup
from benchmarks.shared.data import (
    Split,
    describe_lengths,
    draw,
    draw_per_class,
    read_labeled,
)
from benchmarks.shared.jobs import run_alone
from benchmarks.shared.machine import Noise, set_threads
from benchmarks.shared.measuring import (
    interleave,
    mean_and_sd,
    paired_ratios,
    spread,
    stopwatch,
    synchronizer,
)
from benchmarks.shared.setup import Arm, log
from benchmarks.shared.trainer import Recipe

PACKAGES = (
    *("tokenizers", "scikit-learn", "accelerate"),
    *("sentence-transformers", "setfit"),
)
COLUMNS = {
    "fit_s": "seconds",
    "ratio_to_default": "times Trainer's default",
    "ratio_to_best": "times Trainer's best",
    "loop_tokens_per_s": "loop tokens/s",
    "loop_ratio_to_default": "loop times default's",
    "loop_ratio_to_best": "loop times best's",
    "dev": "dev accuracy",
    "test": "test accuracy",
    "peak_rss_mib": "peak MiB",
}
# A median of fewer rounds, or a deviation over fewer seeds, says nothing.
MIN_SEEDS = 3
QUICK_TEXTS = 48
# Batches of the training that comes before the rounds.
WARM_UP_BATCHES = 2
# Peak memory is that of one epoch over this many texts.
MEMORY_TEXTS = 1024


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--arms", nargs="+", default=["*"], help="names or patterns: 'sklearn*'")
    add("--data", type=Path, metavar="DIR", required=True, help="train.tsv and others")
    add("--epochs", type=int, default=3, help="default: %(default)s")
    add("--batch-size", type=int, default=32, help="default: %(default)s")
    add("--learning-rate", type=float, default=2e-4, help="default: %(default)s")
    add("--seeds", type=int, default=5, help="rounds, one seed each (default: 5)")
    add("--n-train", type=int, help="train on so many texts, drawn once")
    add("--per-class", type=int, help="train on so many of each class, drawn per seed")
    add("--memory", action="store_true", help="also measure each arm's peak memory")
    options = parser.parse_args(arguments)
    if options.quick:
        options.epochs, options.seeds, options.n_train = 1, 2, QUICK_TEXTS
    elif options.seeds < MIN_SEEDS:
        parser.error(f"--seeds must be at least {MIN_SEEDS}. Got {options.seeds}.")
    return options


def read_data(options: argparse.Namespace) -> dict[str, Split]:
    """Return the training texts and those of dev.tsv and test.tsv that exist."""
    data = {"train": read_labeled(options.data / "train.tsv")}
    for name in ("dev", "test"):
        if (options.data / f"{name}.tsv").exists():
            data[name] = read_labeled(options.data / f"{name}.tsv")
    data["train"] = draw(data["train"], options.n_train, options.seed)
    if options.quick:
        data = {name: draw(one, QUICK_TEXTS, 0) for name, one in data.items()}
    return data


def run(options: argparse.Namespace, given: setup.Setup) -> report.Result:
    """Train and measure everything."""
    set_threads(given.n_threads)
    names = setup.choose([arm.name for arm in all_arms()], options.arms, "--arms")
    arms = [arm for arm in all_arms() if arm.name in names]
    data = read_data(options)
    recipe = Recipe(given, options.epochs, options.batch_size, options.learning_rate)
    fields = ("epochs", "batch_size", "learning_rate", "seeds", "n_train", "per_class")
    result = report.new_result(
        "finetuning",
        device=given.device,
        packages=PACKAGES,
        settings=setup.describe(options, given, *fields),
        columns=COLUMNS,
    )
    first = training_rows(options, data["train"], 0)
    few = draw(first, WARM_UP_BATCHES * options.batch_size, 0)

    def warm_up(arm: Arm) -> None:
        if arm.name == FOR_FEW_TEXTS and options.per_class is None:
            raise ValueError("needs --per-class")
        arm.make(replace(recipe, n_epochs=1), 0).fit(*few)

    running, refused = setup.try_arms(arms, warm_up, given.device)
    noise = Noise()
    rounds = interleave(
        {arm.name: rounds_of(arm, recipe, options, data) for arm in running},
        repeats=options.seeds,
        seed=options.seed,
        settle_s=0.0 if options.quick else 0.2,
    )
    encodings = setup.load_tokenizer(given.checkpoint).encode_batch(first[0])
    lengths = [min(len(one.ids), given.max_length) for one in encodings]
    name = options.data.name
    result["sets"][name] = {
        **describe_lengths(lengths),
        "n_classes": len(np.unique(first[1])),
        "cpus_of_others": noise.cpus_of_others(),
    }
    rows = make_rows(rounds, options.epochs * sum(lengths))
    if options.memory:
        part = draw(first, MEMORY_TEXTS, options.seed)
        for row in rows:
            log.info("memory of %s", row["arm"])
            row |= run_alone(train_once, row["arm"], replace(recipe, n_epochs=1), part)
    result["rows"] = [{"set": name, **row} for row in (*rows, *refused)]
    report.show(result, name, options.json)
    return result


def training_rows(options: argparse.Namespace, train: Split, seed: int) -> Split:
    """Return what is trained on with one seed."""
    if options.per_class is None:
        return train
    return draw_per_class(train, options.per_class, seed)


def rounds_of(
    arm: Arm, recipe: Recipe, options: argparse.Namespace, data: dict[str, Split]
) -> Any:
    """Return a function that trains one arm, the k-th time with seed k."""
    seeds = iter(range(options.seeds))

    def train_and_score() -> dict[str, Any]:
        seed = next(seeds)
        log.info("seed %d: %s", seed, arm.name)
        X, y = training_rows(options, data["train"], seed)
        learner = arm.make(recipe, seed)
        fit = partial(learner.fit, X, y)
        seconds = stopwatch(fit, synchronizer(recipe.setup.device))
        scores = {
            name: float(np.mean(learner.predict(data[name][0]) == data[name][1]))
            for name in ("dev", "test")
            if name in data
        }
        loop_s = getattr(learner, "loop_s", None)
        return {"seconds": seconds, "loop_s": loop_s, **scores}

    return train_and_score


def make_rows(
    rounds: dict[str, list[dict[str, Any]]], n_tokens: int
) -> list[dict[str, Any]]:
    """Return a row for each arm; ``n_tokens`` are those of all epochs."""
    columns = {
        arm: {name: [one[name] for one in records] for name in records[0]}
        for arm, records in rounds.items()
    }
    tuned = [arm for arm in TUNED if arm in columns]
    best = min(
        tuned, key=lambda arm: spread(columns[arm]["seconds"])["median"], default=None
    )

    def ratio(reference: str | None, column: dict[str, Any], name: str) -> Any:
        if reference not in columns or None in column[name]:
            return None
        return spread(paired_ratios(columns[reference][name], column[name]))

    rows = []
    for arm, column in columns.items():
        row = {
            "arm": arm,
            "fit_s": spread(column["seconds"]),
            "ratio_to_default": ratio(BASELINE, column, "seconds"),
            "ratio_to_best": ratio(best, column, "seconds"),
            "loop_ratio_to_default": ratio(BASELINE, column, "loop_s"),
            "loop_ratio_to_best": ratio(best, column, "loop_s"),
        }
        if None not in column["loop_s"]:
            speeds = spread([n_tokens / s for s in column["loop_s"]])
            row["loop_tokens_per_s"] = speeds["median"]
        for name in ("dev", "test"):
            if name in column:
                row[name] = mean_and_sd(column[name])
        rows.append(row)
    return rows


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
