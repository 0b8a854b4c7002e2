"""How well fine-tuned encoders predict on ten data sets, compared with others.

``python -m benchmarks.accuracy --help`` lists the options; benchmarks/README.md says
how to read the table.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.accuracy.arms import (
    ARMS,
    CHANGES,
    LINEAR_MODELS,
    OURS,
    Job,
    train_and_score,
)
from benchmarks.accuracy.tasks import TASKS, Task
from benchmarks.shared import report, setup
from benchmarks.shared.jobs import Journal, Record, run_alone
from benchmarks.shared.measuring import mean_and_sd
from benchmarks.shared.setup import Setup, first_line, log
from benchmarks.shared.trainer import Recipe

PACKAGES = ("tokenizers", "scikit-learn", "accelerate")
COLUMNS = {
    "measure": "measure",
    "score": "score",
    "gain": "minus sklearn_bert's",
    "fit_s": "fit s",
    "peak_rss_mib": "peak MiB",
}
QUICK_ROWS = 100


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    peers = [name for name in ARMS if name not in CHANGES and "," not in name]
    add("--data", type=Path, metavar="DIR", required=True, help="a folder per data set")
    add("--sets", nargs="+", default=["*"], help="names or patterns: 'sick*'")
    add("--arms", nargs="+", default=peers, help="or '*=*' for changed parameters")
    add("--held-out", type=int, metavar="N", help="train on N rows, test on others")
    add("--n-rows", type=int, help="train and test on so many rows (default: all)")
    add("--seeds", type=int, default=3, help="default: %(default)s")
    add("--folds", type=int, help="of the sets that come in folds (default: all)")
    add("--epochs", type=int, default=4, help="default: %(default)s")
    add("--batch-size", type=int, default=32, help="default: %(default)s")
    add("--learning-rate", type=float, default=2e-4, help="default: %(default)s")
    add("--journal", type=Path, metavar="FILE", help="jobs done, to resume a run")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds = options.folds = options.epochs = 1
        options.held_out = options.held_out and QUICK_ROWS
    if options.seeds < 1 or (options.folds is not None and options.folds < 1):
        parser.error("--seeds and --folds must be at least 1.")
    options.sets = setup.choose([task.name for task in TASKS], options.sets, "--sets")
    options.arms = setup.choose(list(ARMS), options.arms, "--arms")
    return options


def all_jobs(options: argparse.Namespace, given: Setup) -> Iterator[Job]:
    """Yield what is to be trained: all sets with the first seed, then the next."""
    recipe = Recipe(given, options.epochs, options.batch_size, options.learning_rate)
    is_held_out = options.held_out is not None
    n_rows = options.held_out or (QUICK_ROWS if options.quick else options.n_rows)
    for seed in range(options.seed, options.seed + options.seeds):
        for task in (task for task in TASKS if task.name in options.sets):
            n_folds = 1 if is_held_out else min(options.folds or 10, task.n_folds)
            for fold in range(n_folds):
                for arm in arms_of(task, options, seed):
                    rows = (n_rows, is_held_out, str(options.data))
                    yield Job(task.name, arm, seed, fold, *rows, recipe)


def arms_of(task: Task, options: argparse.Namespace, seed: int) -> list[str]:
    """Return the arms that learn a task."""
    # Without a draw of rows, linear models draw nothing; they tag no words.
    has_draw = seed == options.seed or options.held_out is not None
    unfit = set() if has_draw and task.kind != "tags" else LINEAR_MODELS
    known = task.estimator().get_params().keys()
    unfit |= {name for name, change in CHANGES.items() if not change.keys() <= known}
    return [arm for arm in options.arms if arm not in unfit]


def run(options: argparse.Namespace, given: Setup) -> report.Result:
    """Do all jobs that are not done yet; return the outcomes of all of them."""
    journal = Journal(options.journal, [field.name for field in fields(Job)])
    records = []
    for job in all_jobs(options, given):
        key = asdict(job)
        outcome = journal.find(key)
        if outcome is None:
            # One fit that fails must not end a run of days.
            try:
                outcome = {**key, **run_alone(train_and_score, job)}
            except Exception as error:
                outcome = {**key, "not_run": first_line(error)}
            shown = {name: value for name, value in outcome.items() if name not in key}
            log.info("%s %s, seed %d: %s", job.task, job.arm, job.seed, shown)
            # The next run tries again what failed.
            if "not_run" not in outcome:
                journal.add(outcome)
        records.append(outcome)
    names = ("epochs", "batch_size", "learning_rate", "seeds", "held_out", "n_rows")
    result = report.new_result(
        "accuracy",
        device=given.device,
        packages=PACKAGES,
        settings=setup.describe(options, given, *names),
        columns=COLUMNS,
    )
    for task in TASKS:
        if task.name in options.sets:
            about = {"protocol": task.protocol, "published": task.published}
            result["sets"][task.name] = about
            result["rows"] += rows_of(task, records)
            report.show(result, task.name, options.json)
    return result


def rows_of(task: Task, records: list[Record]) -> list[dict[str, Any]]:
    """Return a row for each arm and measure of a task; folds are averaged first."""
    rows: list[dict[str, Any]] = []
    own = [one for one in records if one["task"] == task.name]
    done = [one for one in own if "not_run" not in one]
    for arm in ARMS:
        failed = [one for one in own if one["arm"] == arm and "not_run" in one]
        common = {"set": task.name, "arm": arm}
        rows += [{**common, "not_run": one["not_run"]} for one in failed[:1]]
        mine = [one for one in done if one["arm"] == arm]
        for measure in task.scores if mine else ():
            scores = by_seed(done, arm, measure)
            ours = by_seed(done, OURS, measure)
            gains = [
                score - ours[seed] for seed, score in scores.items() if seed in ours
            ]
            rows.append(
                {
                    **common,
                    "measure": measure,
                    "score": mean_and_sd(list(scores.values())),
                    "gain": mean_and_sd(gains) if gains and arm != OURS else None,
                    "fit_s": mean(one["seconds"] for one in mine),
                    "peak_rss_mib": max((one["peak_rss_mib"] or 0) for one in mine),
                }
            )
    return rows


def by_seed(records: list[Record], arm: str, measure: str) -> dict[int, float]:
    """Return an arm's score with each seed, the mean of its folds."""
    scores: dict[int, list[float]] = {}
    for one in records:
        if one["arm"] == arm:
            scores.setdefault(one["seed"], []).append(one["scores"][measure])
    return {seed: mean(folds) for seed, folds in scores.items()}


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
