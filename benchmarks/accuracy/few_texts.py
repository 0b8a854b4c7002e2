"""How well classifiers learn from few texts, and how long they take.

``python -m benchmarks.accuracy.few_texts --data DIR`` trains on 8, 16 and 64 texts per
class and on 500 and 2,000 texts of the training files, and scores on the test files.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from benchmarks.finetuning.arms import SetFit
from benchmarks.shared import report, setup
from benchmarks.shared.data import (
    Split,
    draw,
    draw_per_class,
    read_labeled,
    read_rows,
    take,
)
from benchmarks.shared.jobs import Journal, Record, run_alone
from benchmarks.shared.machine import set_threads
from benchmarks.shared.measuring import mean_and_sd
from benchmarks.shared.setup import Setup, first_line, log
from benchmarks.shared.trainer import HuggingFaceTrainer, Recipe
from sklearn_bert import BertClassifier, BertVectorizer

PACKAGES = ("tokenizers", "scikit-learn", "sentence-transformers", "setfit")
COLUMNS = {"accuracy": "accuracy", "gain": "minus sklearn_bert's", "cpu_s": "fit CPU s"}
OURS, LINEAR, SETFIT, TRAINER = "sklearn_bert", "linear", "setfit", "trainer"
REVIEWS = "reviews"
SETS = ("sst2", "trec", "banking77", "goemotions", "germeval2018", REVIEWS)
SIZES = ("8", "16", "64", "500", "2000")
# Sizes up to this one are numbers of texts per class.
MOST_PER_CLASS = 64
RATES = (1e-4, 2e-4, 4e-4)
# SetFit trains on pairs of all texts, which takes hours beyond so many.
MOST_PAIRS = 10_000
QUICK_ROWS = 40


@dataclass(frozen=True)
class Job:
    """One fit.

    Attributes
    ----------
    set, arm : str
    size : str
        Number of texts, or of texts per class.
    seed : int
        Of the draw of the texts, and of the training.
    n_test : int or None
        None scores all test texts.
    data : str
        The folder of all data sets.
    setup : Setup
    """

    set: str
    arm: str
    size: str
    seed: int
    n_test: int | None
    data: str
    setup: Setup


def read(name: str, data: Path) -> tuple[Split, Split]:
    """Return the training and the test texts of a set."""
    if name == REVIEWS:
        return read_reviews()
    files = [data / name / f"{part}.tsv" for part in ("train", "test")]
    if name != "goemotions":
        return read_labeled(files[0]), read_labeled(files[1])
    train, test = map(read_single_labels, files)
    return train, test


def read_single_labels(file: Path) -> Split:
    """Return the texts of a multilabel file that have exactly one label."""
    rows = [row for row in read_rows(file) if "|" not in row["labels"]]
    return [row["text"] for row in rows], np.array([row["labels"] for row in rows])


def read_reviews() -> tuple[Split, Split]:
    """Return sentences of customer reviews, praise or not; no review is in both."""
    from sklearn_bert.datasets import fetch_vader_sentiment

    reviews = fetch_vader_sentiment(subset="amazon")
    numbers = np.array([int(one.split("_")[0]) for one in reviews.ids])
    is_rated = reviews.target != 0
    is_test = numbers % 3 == 0
    labels = np.where(reviews.target > 0, "praise", "complaint")
    every = list(reviews.data), labels
    train, test = (
        take(every, np.flatnonzero(is_rated & chosen)) for chosen in (~is_test, is_test)
    )
    return train, test


def draw_texts(train: Split, size: str, seed: int) -> Split:
    """Draw so many texts, of each class if they are few."""
    n = int(size)
    if n <= MOST_PER_CLASS:
        return draw_per_class(train, n, seed)
    return draw(train, n, seed)


def make_ours(job: Job, texts: Split) -> Any:
    """Return our classifier with its defaults."""
    given = job.setup
    return BertClassifier(
        given.checkpoint,
        max_length=given.max_length,
        device=given.device,
        random_state=job.seed,
    )


def make_linear(job: Job, texts: Split) -> Any:
    """Return a logistic regression on frozen features."""
    given = job.setup
    vectorizer = BertVectorizer(
        given.checkpoint, max_length=given.max_length, device=given.device
    )
    return make_pipeline(vectorizer, LogisticRegression(max_iter=1000))


def make_setfit(job: Job, texts: Split) -> Any:
    """Return SetFit with its defaults, unless it would take hours."""
    n_pairs = count_pairs(texts[1])
    if n_pairs > MOST_PAIRS:
        raise ValueError(f"{n_pairs:,} pairs of texts would take hours")
    return SetFit(make_recipe(job, RATES[0]), job.seed)


def count_pairs(labels: np.ndarray) -> int:
    """Return how many pairs SetFit trains on: as many of one kind as of the other."""
    counts = np.unique(labels, return_counts=True)[1]
    same = int((counts * (counts + 1) // 2).sum())
    different = (len(labels) ** 2 - int((counts**2).sum())) // 2
    return 2 * max(same, different)


def make_trainer(job: Job, texts: Split) -> Any:
    """Return Trainer with the best of three rates on a fifth of the texts."""
    X, y = texts
    if int(job.size) <= MOST_PER_CLASS:
        raise ValueError("has too few texts to choose a rate")
    some, others, y_some, y_others = train_test_split(
        X, y, test_size=0.2, random_state=job.seed
    )

    def score(rate: float) -> float:
        trainer = HuggingFaceTrainer(make_recipe(job, rate), job.seed)
        trainer.fit(some, y_some)
        return float(np.mean(trainer.predict(others) == y_others))

    return HuggingFaceTrainer(make_recipe(job, max(RATES, key=score)), job.seed)


def make_recipe(job: Job, rate: float) -> Recipe:
    """Return the usual recipe of transformers."""
    return Recipe(job.setup, n_epochs=4, batch_size=32, learning_rate=rate)


ARMS: dict[str, Callable[[Job, Split], Any]] = {
    OURS: make_ours,
    LINEAR: make_linear,
    SETFIT: make_setfit,
    TRAINER: make_trainer,
}


def train_and_score(job: Job) -> Record:
    """Return the accuracy on the test texts, and the processor time of the fit alone.

    Unlike the time on a clock, it does not depend on what else the machine does.
    """
    set_threads(job.setup.n_threads)
    train, test = read(job.set, Path(job.data))
    texts = draw_texts(train, job.size, job.seed)
    X_test, y_test = draw(test, job.n_test, 0)
    learner = ARMS[job.arm](job, texts)
    start = time.process_time()
    learner.fit(*texts)
    seconds = time.process_time() - start
    accuracy = float(np.mean(learner.predict(X_test) == y_test))
    return {"accuracy": accuracy, "cpu_s": seconds}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="a folder per data set")
    add("--sets", nargs="+", default=["*"], help="names or patterns: 's*'")
    add("--sizes", nargs="+", default=["*"], help="of 8, 16, 64, 500 and 2000")
    add("--arms", nargs="+", default=["*"], help="names or patterns")
    add("--n-test", type=int, help="default: all")
    add("--seeds", type=int, default=3, help="default: %(default)s")
    add("--journal", type=Path, metavar="FILE", help="jobs done, to resume a run")
    options = parser.parse_args(arguments)
    options.sets = setup.choose(SETS, options.sets, "--sets")
    options.sizes = setup.choose(SIZES, options.sizes, "--sizes")
    options.arms = setup.choose(list(ARMS), options.arms, "--arms")
    if options.quick:
        options.sizes, options.seeds, options.n_test = ["8"], 1, QUICK_ROWS
    return options


def all_jobs(options: argparse.Namespace, given: Setup) -> Iterator[Job]:
    """Yield what is to be trained: everything with the first seed, then the next."""
    for seed in range(options.seed, options.seed + options.seeds):
        for size in options.sizes:
            for name in options.sets:
                for arm in options.arms:
                    rows = (options.n_test, str(options.data), given)
                    yield Job(name, arm, size, seed, *rows)


def run(options: argparse.Namespace, given: Setup) -> report.Result:
    """Do all jobs that are not done yet, and return the outcomes of all of them."""
    journal = Journal(options.journal, [field.name for field in fields(Job)])
    result = report.new_result(
        "few_texts",
        device=given.device,
        packages=PACKAGES,
        settings=setup.describe(options, given, "n_test", "seeds"),
        columns=COLUMNS,
    )
    records = [outcome_of(job, journal) for job in all_jobs(options, given)]
    for size in options.sizes:
        for name in options.sets:
            label = f"{name}-{size}"
            own = [one for one in records if (one["set"], one["size"]) == (name, size)]
            result["sets"][label] = {}
            result["rows"] += [{"set": label, **row} for row in rows_of(own)]
            report.show(result, label, options.json)
    return result


def outcome_of(job: Job, journal: Journal) -> Record:
    """Return what is known of a job, or do it."""
    key = asdict(job)
    outcome = journal.find(key)
    if outcome is None:
        # One fit that fails must not end a run of hours.
        try:
            outcome = {**key, **run_alone(train_and_score, job)}
        except Exception as error:
            return {**key, "not_run": first_line(error)}
        journal.add(outcome)
        log.info(
            "%s-%s %s, seed %d: %.3f in %.1f s",
            *(job.set, job.size, job.arm, job.seed),
            *(outcome["accuracy"], outcome["cpu_s"]),
        )
    return outcome


def rows_of(records: list[Record]) -> Iterator[dict[str, Any]]:
    """Yield a row for each arm: its scores, compared with ours on the same texts."""
    scores = {(one["arm"], one["seed"]): one.get("accuracy") for one in records}
    for arm in ARMS:
        mine = [one for one in records if one["arm"] == arm]
        done = [one for one in mine if "accuracy" in one]
        if not done:
            yield from ({"arm": arm, "not_run": one["not_run"]} for one in mine[:1])
            continue
        gains = [
            one["accuracy"] - ours
            for one in done
            if (ours := scores.get((OURS, one["seed"]))) is not None
        ]
        yield {
            "arm": arm,
            "accuracy": mean_and_sd([one["accuracy"] for one in done]),
            "gain": mean_and_sd(gains) if gains and arm != OURS else None,
            "cpu_s": mean(one["cpu_s"] for one in done),
        }


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    given = setup.make_setup(options)
    # Few texts are short, and SetFit pads to the longest.
    run(options, replace(given, max_length=min(given.max_length, 128)))


if __name__ == "__main__":
    main()
