"""How far the probabilities of fine-tuned classifiers are from the truth.

``python -m benchmarks.accuracy.calibration --data DIR`` fine-tunes BertClassifier, and
scores its probabilities on the test file: as they are, and after each correction that
CalibratedClassifierCV learns from further rows of the training file.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

from benchmarks.shared import report, setup
from benchmarks.shared.data import draw, read_labeled
from benchmarks.shared.machine import set_threads
from benchmarks.shared.measuring import summarize
from benchmarks.shared.setup import Setup, log
from sklearn_bert import BertClassifier

COLUMNS = {
    "calibration_error": "calibration error",
    "accuracy": "accuracy",
    "log_loss": "log loss",
}
SETS = ("sst2", "trec", "banking77", "germeval2018")
UNCALIBRATED = "uncalibrated"
METHODS = (UNCALIBRATED, "temperature", "sigmoid", "isotonic")
N_BINS = 15
# Enough for a row of each of 77 classes.
QUICK_ROWS = 500

Scores = dict[str, float]


class Outputs(ClassifierMixin, BaseEstimator):
    """A classifier whose samples are the logits of another one.

    So that all methods learn from the same logits, which are computed once.
    """

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Outputs":
        """Remember the classes."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the samples."""
        return X


def calibrate(
    method: str, logits: np.ndarray, y: np.ndarray, new: np.ndarray
) -> np.ndarray:
    """Return the probabilities that new logits have after a correction."""
    if method == UNCALIBRATED:
        # Of two classes, the difference of both logits is given.
        both = np.stack([np.zeros_like(new), new], axis=1) if new.ndim == 1 else new
        return softmax(both, axis=1)
    # Nothing is fitted but the correction, so that one fold has all rows.
    rows = np.arange(len(y))
    calibrated = CalibratedClassifierCV(
        Outputs(), method=method, ensemble=True, cv=[(rows, rows)]
    )
    return calibrated.fit(logits, y).predict_proba(new)


def score(y: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> Scores:
    """Return all scores of the probabilities of classes in sorted order."""
    predicted = classes[probabilities.argmax(axis=1)]
    return {
        "calibration_error": expected_calibration_error(
            predicted == y, probabilities.max(axis=1)
        ),
        "accuracy": float(accuracy_score(y, predicted)),
        "log_loss": float(log_loss(y, probabilities, labels=classes)),
    }


def expected_calibration_error(is_correct: np.ndarray, confidence: np.ndarray) -> float:
    """Return the error of the probability of the predicted class (Guo et al. 2017).

    Texts are binned by this probability, in bins of equal width. The result is the mean
    over the bins, weighted by their texts, of the difference between the share of
    correct predictions and the mean probability.
    """
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, weights=is_correct - confidence)
    return float(np.abs(gaps).sum() / len(confidence))


def measure(
    folder: Path, options: argparse.Namespace, given: Setup, seed: int
) -> dict[str, Scores]:
    """Train once, and return the scores of each method."""
    X, y = read_labeled(folder / "train.tsv")
    X, X_more, y, y_more = train_test_split(
        *(X, y),
        train_size=options.n_train,
        test_size=options.n_calibrate,
        # All classes must be in both parts.
        stratify=y,
        random_state=seed,
    )
    X_test, y_test = draw(read_labeled(folder / "test.tsv"), options.n_test, 0)
    classifier = BertClassifier(
        given.checkpoint,
        max_length=given.max_length,
        device=given.device,
        random_state=seed,
    ).fit(X, y)
    # In float64, since log_loss warns about sums of probabilities in float32.
    logits, new = (
        classifier.decision_function(texts).astype(np.float64)
        for texts in (X_more, X_test)
    )
    return {
        method: score(
            y_test, calibrate(method, logits, y_more, new), classifier.classes_
        )
        for method in METHODS
    }


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="a folder per data set")
    add("--sets", nargs="+", default=["*"], help="names or patterns: 's*'")
    add("--n-train", type=int, default=2000, help="default: %(default)s")
    add("--n-calibrate", type=int, default=500, help="further rows (default: 500)")
    add("--n-test", type=int, help="default: all")
    add("--seeds", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args(arguments)
    if options.quick:
        options.n_train = options.n_calibrate = options.n_test = QUICK_ROWS
        options.seeds = 1
    options.sets = setup.choose(SETS, options.sets, "--sets")
    return options


def run(options: argparse.Namespace, given: Setup) -> report.Result:
    """Measure all sets with each seed."""
    set_threads(given.n_threads)
    names = ("n_train", "n_calibrate", "n_test", "seeds")
    result = report.new_result(
        "calibration",
        device=given.device,
        packages=("tokenizers", "scikit-learn"),
        settings=setup.describe(options, given, *names),
        columns=COLUMNS,
    )
    for name in options.sets:
        outcomes = []
        for seed in range(options.seed, options.seed + options.seeds):
            outcome = measure(options.data / name, options, given, seed)
            log.info("%s, seed %d: %s", name, seed, outcome)
            outcomes.append(outcome)
        result["sets"][name] = {}
        result["rows"] += [
            {"set": name, "arm": method, **summarize([one[method] for one in outcomes])}
            for method in METHODS
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
