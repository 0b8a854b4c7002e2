"""The data sets: what is learned from what, and how it is scored."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from benchmarks.shared.data import Split, draw, read_rows, take

EMOTIONS = """
    admiration amusement anger annoyance approval caring confusion curiosity desire
    disappointment disapproval disgust embarrassment excitement fear gratitude grief joy
    love nervousness neutral optimism pride realization relief remorse sadness surprise
"""


@dataclass(frozen=True)
class Task:
    """One target of one data set.

    Attributes
    ----------
    name : str
    folder : str
        Of --data.
    kind : {"classes", "labels", "numbers", "tags"}
    read : callable
        From a file to X and y.
    scores : dict of str to callable
        Of y and of what is predicted; the first one decides.
    protocol : str
        What is trained on and tested, in words.
    published : str
        A figure of others, and whose it is.
    train, test : str
        Files.
    n_folds : int
        More than 1 where ``train`` holds all rows with the number of their fold.
    options : dict
        Of the package's estimator, where they are not its defaults.
    """

    name: str
    folder: str
    kind: str
    read: Callable[[Path], Split]
    scores: dict[str, Callable[[Any, Any], float]]
    protocol: str
    published: str = ""
    train: str = "train.tsv"
    test: str = "test.tsv"
    n_folds: int = 1
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def estimator(self) -> Any:
        """The package's class that learns it."""
        # Only here: where a peer's memory is measured, the package is not imported.
        from sklearn_bert import BertClassifier, BertRegressor, BertTokenClassifier

        kinds = {"numbers": BertRegressor, "tags": BertTokenClassifier}
        return kinds.get(self.kind, BertClassifier)

    def load(self, data: Path, n: int | None, fold: int) -> tuple[Split, Split]:
        """Return what to train on and what to test on, at most ``n`` rows of each."""
        folder = data / self.folder
        X, y = self.read(folder / self.train)
        if self.n_folds == 1:
            train, test = (X, y), self.read(folder / self.test)
        else:
            rows = read_rows(folder / self.train)
            folds = np.array([int(row["fold"]) % self.n_folds for row in rows])
            train = take((X, y), np.flatnonzero(folds != fold))
            test = take((X, y), np.flatnonzero(folds == fold))
        return draw(train, n, 0), draw(test, n, 0)

    def hold_out(self, data: Path, n: int, seed: int) -> tuple[Split, Split]:
        """Return ``n`` training rows, and half as many others of them to score on."""
        split = self.read(data / self.folder / self.train)
        order = np.random.default_rng(seed).permutation(len(split[0]))
        return take(split, order[:n]), take(split, order[n : n + n // 2])


# --- reading -----------------------------------------------------------------------


def _texts(*columns: str, y: Callable[[list[dict[str, str]]], Any]) -> Any:
    """Return a function that reads texts, or pairs, and their targets."""

    def read(file: Path) -> Split:
        rows = list(read_rows(file))
        X = [tuple(row[name] for name in columns) for row in rows]
        return [x if len(columns) > 1 else x[0] for x in X], y(rows)

    return read


def _column(name: str, dtype: Any = str) -> Any:
    return lambda rows: np.array([row[name] for row in rows], dtype=dtype)


def _emotions(rows: list[dict[str, str]]) -> np.ndarray:
    return MultiLabelBinarizer(classes=EMOTIONS.split()).fit_transform(
        [row["labels"].split("|") for row in rows]
    )


def _tagged(file: Path) -> Split:
    """Read a word and its tag per line, and an empty line after each sentence."""
    sentences: list[list[list[str]]] = [[]]
    for line in file.read_text(encoding="utf-8").split("\n"):
        if line:
            sentences[-1].append(line.split("\t"))
        elif sentences[-1]:
            sentences.append([])
    whole = [sentence for sentence in sentences if sentence]
    y = np.empty(len(whole), dtype=object)
    for row, sentence in enumerate(whole):
        y[row] = [tag for _, tag in sentence]
    return [[word for word, _ in sentence] for sentence in whole], y


# --- scoring -----------------------------------------------------------------------


def _correlation(measure: Any) -> Any:
    return lambda y, predicted: float(measure(y, predicted).statistic)


def _f1(average: str) -> Any:
    return lambda y, predicted: f1_score(y, predicted, average=average, zero_division=0)


def _tag_accuracy(y: Any, predicted: Any) -> float:
    return accuracy_score(np.concatenate(list(y)), np.concatenate(list(predicted)))


def _entity_f1(y: Any, predicted: Any) -> float:
    from sklearn_bert.metrics import entity_f1_score

    return entity_f1_score(y, predicted)


ACCURACY = {"accuracy": accuracy_score}
CORRELATIONS = {"Spearman": _correlation(spearmanr), "Pearson": _correlation(pearsonr)}
LABELED = _texts("text", y=_column("label"))
PAIRS = ("text_a", "text_b")

FILMS = Task(
    *("movie_reviews_v2", "movie_reviews_v2", "classes", LABELED, ACCURACY),
    protocol="the authors' ten folds, documents of 700 words, in windows",
    published="0.864 (Pang and Lee 2004)",
    train="all.tsv",
    n_folds=10,
    options={"long_text": "window"},
)

TASKS = [
    Task(
        *("sst2", "sst2", "classes", LABELED, ACCURACY),
        protocol="train to test, sentences only (6,920 / 1,821)",
    ),
    Task(
        *("banking77", "banking77", "classes", LABELED, ACCURACY),
        protocol="train to test, 77 intents",
        published="0.9366 (BERT-large, Casanueva et al. 2020)",
    ),
    Task(
        *("trec", "trec", "classes", LABELED, ACCURACY),
        protocol="train to test, 6 coarse classes",
    ),
    Task(
        *("goemotions", "goemotions", "labels", _texts("text", y=_emotions)),
        scores={"macro F1": _f1("macro"), "micro F1": _f1("micro")},
        protocol="train to test, 28 labels, each on where its probability is over 1/2",
        published="macro 0.46 (BERT-base, Demszky et al. 2020)",
    ),
    FILMS,
    *(
        replace(
            FILMS,
            name=f"movie_reviews_v2-{length}",
            protocol=f"the same folds, the first {length} tokens only",
            published="",
            options={"max_length": length},
        )
        for length in (256, 128)
    ),
    Task(
        *("germeval2018", "germeval2018", "classes", LABELED),
        scores={"macro F1": _f1("macro"), "accuracy": accuracy_score},
        protocol="train to test, German, OFFENSE or OTHER",
        published="macro 0.767 (best of the shared task)",
    ),
    Task(
        *("stsb", "stsb", "numbers", _texts(*PAIRS, y=_column("score", float))),
        scores=CORRELATIONS,
        protocol="train to test, pairs, 0 to 5",
    ),
    Task(
        *("sick-relatedness", "sick", "numbers"),
        read=_texts(*PAIRS, y=_column("relatedness", float)),
        scores=CORRELATIONS,
        protocol="train to test, pairs, 1 to 5",
    ),
    Task(
        *("sick-entailment", "sick", "classes", _texts(*PAIRS, y=_column("label"))),
        scores=ACCURACY,
        protocol="train to test, pairs, 3 classes",
        published="0.846 (best of SemEval-2014)",
    ),
    Task(
        *("wnut17", "wnut17", "tags", _tagged, {"entity F1": _entity_f1}),
        protocol="train to test, 6 types of entities, BIO",
        published="0.419 (best of the shared task)",
        train="train.conll",
        test="test.conll",
        options={"constrain_tags": "bio"},
    ),
    Task(
        *("ud_ewt", "ud_ewt", "tags", _tagged, {"accuracy": _tag_accuracy}),
        protocol="train to test, 17 universal parts of speech",
        train="train.conll",
        test="test.conll",
    ),
]
