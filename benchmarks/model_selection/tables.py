"""Which features of a text column serve gradient boosting best, in five tables.

``python -m benchmarks.model_selection.tables --data DIR`` fits the same
HistGradientBoosting to the numbers of a table with and without features of its text.

The data sets have texts only. The numbers of their tables are counts of words and marks
in the texts, for pairs of both texts and of what they share, and one made-up column:
the target plus noise, of which the target explains a fifth. A table of a user has other
columns, so "no text" says how much these numbers know, and nothing about tables in
general. "in sample" is the target encoder without cross-fitting: the mistake that
cross-fitting avoids.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.pipeline import make_pipeline

from benchmarks.shared import report, setup
from benchmarks.shared.data import read_rows
from benchmarks.shared.machine import Noise, set_threads
from benchmarks.shared.measuring import mean_and_sd
from benchmarks.shared.setup import Setup, log
from sklearn_bert import (
    BertClassifier,
    BertRegressor,
    BertTargetEncoder,
    BertVectorizer,
)

COLUMNS = {
    "score": "accuracy or R²",
    "gain": "minus frozen",
    "fit_s": "fit s",
    "n_columns": "columns",
}
REFERENCE = "frozen"
QUICK_ROWS = 60
# Standard deviation, relative to the target's, which then explains a fifth.
NOISE = 2.0
MARKS = "?!,;:#@\"'|"


@dataclass(frozen=True)
class Table:
    """A data set as a table.

    Attributes
    ----------
    name : str
        Its folder in --data.
    texts : list of str
        One column of texts, or two of pairs.
    target : str
    is_numeric : bool
        Whether the target is a number.
    """

    name: str
    texts: list[str]
    target: str
    is_numeric: bool = False

    def load(self, data: Path, split: str, n: int, seed: int) -> pd.DataFrame:
        """Return ``n`` rows of a split, drawn with a seed, with all columns."""
        rows = pd.DataFrame(read_rows(data / self.name / f"{split}.tsv"))
        random = np.random.default_rng(seed)
        rows = rows.loc[random.permutation(len(rows))[:n]].reset_index(drop=True)
        y = rows[self.target].astype(float) if self.is_numeric else rows[self.target]
        # Classes have no order; for a made-up column any order will do.
        codes = y if self.is_numeric else y.rank(method="dense")
        noise = random.normal(scale=NOISE, size=len(rows))
        numbers = {"made_up": (codes - codes.mean()) / codes.std() + noise}
        for column in self.texts:
            numbers |= count(column, rows[column])
        if len(self.texts) == 2:
            pairs = rows[self.texts].itertuples(index=False)
            numbers["shared"] = [shared_words(*pair) for pair in pairs]
        return rows[self.texts].assign(**numbers, y=y)


TABLES = [
    Table("sst2", ["text"], "label"),
    Table("germeval2018", ["text"], "label"),
    Table("trec", ["text"], "label"),
    Table("stsb", ["text_a", "text_b"], "score", is_numeric=True),
    Table("sick", ["text_a", "text_b"], "relatedness", is_numeric=True),
]


def count(name: str, texts: pd.Series) -> dict[str, pd.Series]:
    """Return numbers that describe texts without reading them."""
    words = texts.str.split().str.len()
    return {
        f"{name} words": words,
        f"{name} letters per word": texts.str.len() / words.clip(lower=1),
        f"{name} capitals": texts.str.count("[A-Z]"),
        f"{name} digits": texts.str.count("[0-9]"),
        **{f"{name} {mark}": texts.str.count(f"[{mark}]") for mark in MARKS},
    }


def shared_words(a: str, b: str) -> float:
    """Return the share of the words of two texts that both have."""
    first, second = set(a.lower().split()), set(b.lower().split())
    return len(first & second) / max(len(first | second), 1)


class InSample(BertTargetEncoder):
    """Features as they would be without cross-fitting."""

    def fit_transform(self, X: Any, y: Any, **metadata: Any) -> np.ndarray:
        """Return the predictions of an encoder for its own training texts."""
        return self.fit(X, y, **metadata).transform(X)


def target_encoder(
    table: Table, given: Setup, options: argparse.Namespace, seed: int, **changes: Any
) -> BertTargetEncoder:
    """Return a target encoder that suits the target of a table."""
    kind = BertRegressor if table.is_numeric else BertClassifier
    estimator = kind(
        given.checkpoint,
        max_length=given.max_length,
        n_epochs=options.epochs,
        device=given.device,
        **changes,
    )
    return BertTargetEncoder(estimator, cv=options.folds, random_state=seed)


def in_sample(*args: Any) -> InSample:
    """Return what :func:`target_encoder` returns, without cross-fitting."""
    return InSample(**target_encoder(*args).get_params(deep=False))


def vectorizer(
    table: Table, given: Setup, options: argparse.Namespace, seed: int
) -> BertVectorizer:
    """Return a frozen encoder."""
    return BertVectorizer(
        given.checkpoint, max_length=given.max_length, device=given.device
    )


ARMS: dict[str, Callable[..., Any]] = {
    "no text": lambda *args: "drop",
    REFERENCE: vectorizer,
    "frozen, PCA": lambda *args: make_pipeline(
        vectorizer(*args), PCA(min(32, args[2].n_train // 2), random_state=args[3])
    ),
    "target encoder": target_encoder,
    "target encoder, frozen": lambda *args: target_encoder(*args, freeze="encoder"),
    "in sample": in_sample,
}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="a folder per data set")
    add("--tables", nargs="+", default=["*"], help="names or patterns: 's*'")
    add("--arms", nargs="+", default=["*"], help="names or patterns")
    add("--n-train", type=int, default=2000, help="default: %(default)s")
    add("--n-test", type=int, default=2000, help="default: %(default)s")
    add("--seeds", type=int, default=3, help="default: %(default)s")
    add("--folds", type=int, default=5, help="of cross-fitting, default: %(default)s")
    add("--epochs", type=int, default=4, help="default: %(default)s")
    options = parser.parse_args(arguments)
    if options.quick:
        options.n_train = options.n_test = QUICK_ROWS
        options.seeds = options.epochs = 1
        options.folds = 2
    names = [table.name for table in TABLES]
    options.tables = setup.choose(names, options.tables, "--tables")
    options.arms = setup.choose(list(ARMS), options.arms, "--arms")
    return options


def fit_and_score(
    table: Table, arm: str, given: Setup, options: argparse.Namespace, seed: int
) -> dict[str, float]:
    """Fit the boosting with the features of an arm, and score it on new rows."""
    train = table.load(options.data, "train", options.n_train, seed)
    test = table.load(options.data, "test", options.n_test, seed)
    text = ARMS[arm](table, given, options, seed)
    columns = ColumnTransformer([("text", text, table.texts)], remainder="passthrough")
    kind = (
        HistGradientBoostingRegressor
        if table.is_numeric
        else HistGradientBoostingClassifier
    )
    model = make_pipeline(columns, kind(random_state=seed))
    start = time.perf_counter()
    model.fit(train.drop(columns="y"), train["y"])
    seconds = time.perf_counter() - start
    return {
        "score": model.score(test.drop(columns="y"), test["y"]),
        "seconds": seconds,
        "n_columns": model[-1].n_features_in_,
    }


def run(options: argparse.Namespace, given: Setup) -> report.Result:
    """Fit all arms to all tables, with each seed."""
    set_threads(given.n_threads)
    names = ("n_train", "n_test", "seeds", "folds", "epochs")
    result = report.new_result(
        "tables",
        device=given.device,
        packages=("scikit-learn", "pandas"),
        settings=setup.describe(options, given, *names),
        columns=COLUMNS,
    )
    for table in (table for table in TABLES if table.name in options.tables):
        noise = Noise()
        outcomes: dict[str, list[dict[str, float]]] = {arm: [] for arm in options.arms}
        for seed in range(options.seed, options.seed + options.seeds):
            for arm in options.arms:
                outcome = fit_and_score(table, arm, given, options, seed)
                log.info("%s, %s, seed %d: %s", table.name, arm, seed, outcome)
                outcomes[arm].append(outcome)
        result["sets"][table.name] = {
            "texts": " and ".join(table.texts),
            "target": table.target,
            "cpus_of_others": noise.cpus_of_others(),
        }
        result["rows"] += rows_of(table.name, outcomes)
        report.show(result, table.name, options.json)
    return result


def rows_of(
    name: str, outcomes: dict[str, list[dict[str, float]]]
) -> list[dict[str, Any]]:
    """Return a row for each arm; gains are taken seed by seed."""
    reference = [one["score"] for one in outcomes.get(REFERENCE, [])]
    rows = []
    for arm, found in outcomes.items():
        scores = [one["score"] for one in found]
        pairs = zip(scores, reference, strict=bool(reference))
        gains = [own - other for own, other in pairs]
        rows.append(
            {
                "set": name,
                "arm": arm,
                "score": mean_and_sd(scores),
                "gain": mean_and_sd(gains) if gains and arm != REFERENCE else None,
                "fit_s": float(np.mean([one["seconds"] for one in found])),
                "n_columns": found[0]["n_columns"],
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
