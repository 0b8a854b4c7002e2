"""How well fine-tuned encoders predict on ten data sets, and how well their peers do.

``python benchmarks/accuracy.py --help`` lists the options; README.md says how to read
the table.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path
from statistics import mean, stdev

# The package of this checkout is what is measured, installed or not.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from _accuracy_work import ARMS, LINEAR, OURS, PEERS
from _encoders import Setup
from _journal import Journal, Record
from _memory import peak_memory
from _report import first_line, table
from _script import argument_parser, describe_run, make_setup, start_logging
from _tasks import TASKS, Task

VERSIONS = ("torch", "transformers", "tokenizers", "scikit-learn", "accelerate")
QUICK_ROWS = 100
LOG = logging.getLogger("benchmark")
# What tells one job from another; what else a job holds is the same for all of them.
KEY = ("set", "arm", "seed", "fold")
SETTINGS = ("n_epochs", "batch_size", "learning_rate", "n_rows")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argument_parser(__doc__, with_arms=False)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="a folder per data set")
    add("--sets", nargs="+", default=["*"], help="names or patterns: 'sick*'")
    add("--peers", nargs="*", choices=PEERS, default=PEERS, help="default: all")
    add("--seeds", type=int, default=3, help="default: %(default)s")
    add("--folds", type=int, help="of the sets that come in folds (default: all)")
    add("--epochs", type=int, default=4, help="default: %(default)s")
    add("--batch-size", type=int, default=32, help="default: %(default)s")
    add("--learning-rate", type=float, default=2e-4, help="default: %(default)s")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds = options.folds = 1
    if options.seeds < 1 or (options.folds is not None and options.folds < 1):
        parser.error("--seeds and --folds must be at least 1.")
    return options


def choose_tasks(patterns: list[str]) -> list[Task]:
    """Return the tasks that a pattern names."""
    chosen = [task for task in TASKS if any(fnmatch(task.name, p) for p in patterns)]
    if not chosen:
        names = ", ".join(task.name for task in TASKS)
        raise SystemExit(f"--sets must name some of {names}. Got {patterns}.")
    return chosen


def all_jobs(options: argparse.Namespace, setup: Setup) -> Iterator[Record]:
    """Yield what is to be trained: all sets with the first seed, then the next."""
    recipe = {
        "setup": asdict(setup),
        "n_epochs": options.epochs,
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
    }
    for seed in range(options.seed, options.seed + options.seeds):
        for task in choose_tasks(options.sets):
            for fold in range(min(options.folds or task.n_folds, task.n_folds)):
                for arm in _arms_of(task, options.peers, seed == options.seed):
                    yield {
                        **{"set": task.name, "arm": arm, "seed": seed, "fold": fold},
                        "n_rows": QUICK_ROWS if options.quick else None,
                        "data": str(options.data),
                        "recipe": recipe,
                    }


def _arms_of(task: Task, peers: Sequence[str], is_first_seed: bool) -> list[str]:
    """Return who learns the task; linear models draw nothing, and tag no words."""
    has_linear = is_first_seed and task.kind != "tags"
    return [OURS, *(peer for peer in peers if peer != LINEAR or has_linear)]


def run(options: argparse.Namespace, setup: Setup) -> list[Record]:
    """Do all jobs that are not done yet; return the outcomes of all of them."""
    journal = Journal(options.json, (*KEY, *SETTINGS, "model"))
    records = []
    where = describe_run(options, setup, VERSIONS)["environment"]
    for job in all_jobs(options, setup):
        recipe = job["recipe"]
        record = {
            **{name: job[name] for name in KEY},
            **{name: {**recipe, **job}[name] for name in SETTINGS},
            "model": options.model,
        }
        outcome = journal.find(record)
        if outcome is None:
            outcome = {**record, **_do(job), "environment": where}
            # What failed is tried again by the next run.
            if "error" not in outcome:
                journal.add(outcome)
            LOG.info(" ".join(str(outcome[name]) for name in KEY) + _in_short(outcome))
        records.append(outcome)
    return records


def _do(job: Record) -> Record:
    try:
        return peak_memory("_accuracy_work", job)
    except RuntimeError as error:
        return {"error": first_line(error)}


def _in_short(outcome: Record) -> str:
    if "error" in outcome:
        return f": {outcome['error']}"
    scores = ", ".join(f"{name} {x:.4f}" for name, x in outcome["scores"].items())
    return f": {scores}, {outcome['seconds']:.0f} s"


def accuracy_table(records: list[Record]) -> str:
    """Lay out a row for each set, score and arm; folds are averaged first."""
    rows = []
    for task in TASKS:
        for arm in ARMS:
            own = [r for r in records if (r["set"], r["arm"]) == (task.name, arm)]
            failed = [record for record in own if "error" in record]
            done = [record for record in own if "error" not in record]
            rows += [[task.name, arm, record["error"]] for record in failed[:1]]
            rows += [
                [task.name, arm, name, *_figures(done, name)]
                for name in task.scores
                if done
            ]
    headers = ["set", "arm", "score", "mean", "sd", "seeds", "fit s", "MiB"]
    return table(headers, rows)


def _figures(records: list[Record], score: str) -> list[str]:
    """Return mean and deviation over the seeds, mean seconds and highest memory."""
    by_seed: dict[int, list[float]] = {}
    for record in records:
        by_seed.setdefault(record["seed"], []).append(record["scores"][score])
    means = [mean(values) for values in by_seed.values()]
    return [
        f"{mean(means):.4f}",
        f"{stdev(means):.4f}" if len(means) > 1 else "-",
        str(len(means)),
        f"{mean(record['seconds'] for record in records):.0f}",
        f"{max(record['rss_mib'] for record in records):.0f}",
    ]


def protocols(tasks: list[Task]) -> str:
    """Say of each set what is trained on and tested, and what others reached."""
    rows = [[task.name, task.protocol, task.published or "-"] for task in tasks]
    return table(["set", "protocol", "published"], rows)


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    start_logging()
    print(protocols(choose_tasks(options.sets)), flush=True)
    records = run(options, make_setup(options))
    print(accuracy_table(records))


if __name__ == "__main__":
    main()
