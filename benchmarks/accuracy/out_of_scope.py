"""How well texts of no known class are told from others.

``python -m benchmarks.accuracy.out_of_scope --data DIR/banking77`` holds classes out of
the training. Several measures then say how well test texts, of these classes and of the
others, fit the classes that the classifier knows.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.covariance import LedoitWolf
from sklearn.metrics import pairwise_distances_argmin_min, roc_auc_score

from benchmarks.shared import report, setup
from benchmarks.shared.data import Split, draw, read_labeled, take
from benchmarks.shared.machine import set_threads
from benchmarks.shared.measuring import summarize
from benchmarks.shared.setup import Setup, log
from sklearn_bert import BertClassifier, BertVectorizer

COLUMNS = {"auroc": "AUROC", "accepted": "accepted, of unknown"}
# Of the texts of known classes, as many are accepted when the others are counted.
SHARE_KEPT = 0.95
QUICK_ROWS = 200

Scores = dict[str, np.ndarray]


def hold_out(
    folder: Path, n_classes: int, seed: int
) -> tuple[Split, list[str], np.ndarray]:
    """Draw classes that are not known.

    Returns
    -------
    train : Split
        The rows of the other classes.
    X_test : list of str
        The test texts of all classes.
    is_known : ndarray of shape (n_test,), bool
    """
    train, test = (read_labeled(folder / f"{name}.tsv") for name in ("train", "test"))
    classes = np.unique(train[1])
    unknown = np.random.default_rng(seed).permutation(classes)[:n_classes]
    known_rows = np.flatnonzero(~np.isin(train[1], unknown))
    return take(train, known_rows), test[0], ~np.isin(test[1], unknown)


def score_texts(
    classifier: BertClassifier, vectorizer: BertVectorizer, train: Split, new: list[str]
) -> Scores:
    """Return by each measure how well new texts fit the known classes."""
    X, y = train
    logits = classifier.decision_function(new)
    tuned, frozen = (
        (model.transform(X), model.transform(new)) for model in (classifier, vectorizer)
    )
    return {
        "maximum probability": softmax(logits, axis=1).max(axis=1),
        "maximum logit": logits.max(axis=1),
        "energy": logsumexp(logits, axis=1),
        "nearest class mean": -distance_to_means(*tuned, y),
        "Mahalanobis": -mahalanobis_distance(*tuned, y),
        "nearest text": -distance_to_texts(*tuned),
        "frozen, Mahalanobis": -mahalanobis_distance(*frozen, y),
        "frozen, nearest text": -distance_to_texts(*frozen),
    }


def class_means(features: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the mean features of each class: (n_classes, n_features)."""
    return np.stack([features[y == label].mean(axis=0) for label in np.unique(y)])


def distance_to_means(
    features: np.ndarray, new: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return the Euclidean distance to the mean of the nearest class."""
    return pairwise_distances_argmin_min(new, class_means(features, y))[1]


def distance_to_texts(features: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the cosine distance to the nearest training text."""
    return pairwise_distances_argmin_min(new, features, metric="cosine")[1]


def mahalanobis_distance(
    features: np.ndarray, new: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return the distance to the nearest class mean, with one covariance for all."""
    means = class_means(features, y)
    around = features - means[np.searchsorted(np.unique(y), y)]
    precision = LedoitWolf(assume_centered=True).fit(around).precision_
    whiten = np.linalg.cholesky(precision)
    return distance_to_means(features @ whiten, new @ whiten, y)


def compare(scores: np.ndarray, is_known: np.ndarray) -> dict[str, float]:
    """Return how well a score tells known from unknown."""
    threshold = np.quantile(scores[is_known], 1 - SHARE_KEPT)
    return {
        "auroc": float(roc_auc_score(is_known, scores)),
        "accepted": float((scores[~is_known] >= threshold).mean()),
    }


def measure(
    options: argparse.Namespace, given: Setup, seed: int
) -> dict[str, dict[str, float]]:
    """Train without some classes, and compare all measures."""
    train, new, is_known = hold_out(options.data, options.n_unknown, seed)
    train = draw(train, options.n_train, seed)
    model = {
        "model": given.checkpoint,
        "max_length": given.max_length,
        "device": given.device,
    }
    classifier = BertClassifier(**model, random_state=seed).fit(*train)
    scores = score_texts(classifier, BertVectorizer(**model), train, new)
    return {name: compare(one, is_known) for name, one in scores.items()}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="one data set")
    add("--n-unknown", type=int, default=20, help="classes (default: %(default)s)")
    add("--n-train", type=int, default=2000, help="default: %(default)s")
    add("--draws", type=int, default=3, help="of the classes (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.quick:
        options.n_train, options.draws = QUICK_ROWS, 1
    return options


def run(options: argparse.Namespace, given: Setup) -> report.Result:
    """Measure all draws."""
    set_threads(given.n_threads)
    names = ("n_unknown", "n_train", "draws")
    result = report.new_result(
        "out_of_scope",
        device=given.device,
        packages=("tokenizers", "scikit-learn"),
        settings=setup.describe(options, given, *names),
        columns=COLUMNS,
    )
    outcomes = []
    for seed in range(options.seed, options.seed + options.draws):
        outcome = measure(options, given, seed)
        log.info("seed %d: %s", seed, outcome)
        outcomes.append(outcome)
    name = options.data.name
    result["sets"][name] = {}
    result["rows"] = [
        {"set": name, "arm": arm, **summarize([one[arm] for one in outcomes])}
        for arm in outcomes[0]
    ]
    report.show(result, name, options.json)
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
