"""Whether the words that attributions name decide the predictions.

``python -m benchmarks.accuracy.attributions --data DIR`` fine-tunes BertClassifier on
SST-2. From each test sentence that it classifies correctly, it removes the three words
with the highest contributions, and counts how often the prediction flips, against three
words at random.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.shared import report, setup
from benchmarks.shared.data import draw, read_labeled
from benchmarks.shared.machine import set_threads
from benchmarks.shared.measuring import summarize
from benchmarks.shared.setup import Setup, log
from sklearn_bert import BertClassifier
from sklearn_bert.inspection import token_attributions

COLUMNS = {
    "flips": "flipped, highest words",
    "random_flips": "flipped, random words",
    "ratio": "ratio",
    "error": "median error",
    "error_95": "95th percentile",
    "seconds": "seconds per sentence",
}
METHODS = ("integrated_gradients", "gradient_x_input", "occlusion")
N_REMOVED = 3
# Draws of random words, since few of them flip a prediction.
N_DRAWS = 10
QUICK_ROWS = 40

Scores = dict[str, float]


def remove(text: str, words: Sequence[int]) -> str:
    """Leave out some words of a text."""
    kept = set(range(len(text.split()))) - set(words)
    return " ".join(text.split()[word] for word in sorted(kept))


def count_flips(
    classifier: BertClassifier,
    texts: Sequence[str],
    y: np.ndarray,
    words: Sequence[Sequence[int]],
) -> float:
    """Return the share of texts that are classified otherwise without some words."""
    shorter = [remove(*pair) for pair in zip(texts, words, strict=True)]
    return float((classifier.predict(shorter) != y).mean())


def measure(
    classifier: BertClassifier, texts: Sequence[str], y: np.ndarray, seed: int
) -> dict[str, Scores]:
    """Return the scores of each method on texts that are classified correctly."""
    rng = np.random.default_rng(seed)
    lengths = [len(text.split()) for text in texts]
    at_random = np.mean(
        [
            count_flips(
                classifier, texts, y, [rng.permutation(n)[:N_REMOVED] for n in lengths]
            )
            for _ in range(N_DRAWS)
        ]
    )
    scores = {}
    for method in METHODS:
        start = perf_counter()
        found = token_attributions(classifier, texts, method=method)
        seconds = (perf_counter() - start) / len(texts)
        highest = [np.argsort(-one.contributions)[:N_REMOVED] for one in found]
        flips = count_flips(classifier, texts, y, highest)
        scores[method] = {
            "flips": flips,
            "random_flips": float(at_random),
            "ratio": float(flips / at_random),
            "seconds": seconds,
        }
        # Only integrated gradients are to sum to the difference of the outputs.
        if method == METHODS[0]:
            errors = [
                abs(one.error / (one.output - one.baseline_output)) for one in found
            ]
            scores[method]["error"] = float(np.median(errors))
            scores[method]["error_95"] = float(np.quantile(errors, 0.95))
    return scores


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="has a folder sst2")
    add("--n-train", type=int, default=1000, help="default: %(default)s")
    add("--n-test", type=int, default=300, help="default: %(default)s")
    add("--seeds", type=int, default=1, help="default: %(default)s")
    options = parser.parse_args(arguments)
    if options.quick:
        options.n_train = options.n_test = QUICK_ROWS
    return options


def run(options: argparse.Namespace, given: Setup) -> report.Result:
    """Train with each seed, and measure all methods."""
    set_threads(given.n_threads)
    result = report.new_result(
        "attributions",
        device=given.device,
        packages=("tokenizers", "scikit-learn"),
        settings=setup.describe(options, given, "n_train", "n_test", "seeds"),
        columns=COLUMNS,
    )
    folder, outcomes = options.data / "sst2", []
    for seed in range(options.seed, options.seed + options.seeds):
        X, y = draw(read_labeled(folder / "train.tsv"), options.n_train, seed)
        classifier = BertClassifier(
            given.checkpoint,
            max_length=given.max_length,
            device=given.device,
            random_state=seed,
        ).fit(X, y)
        X, y = draw(read_labeled(folder / "test.tsv"), options.n_test, 0)
        is_used = classifier.predict(X) == y
        is_used &= [len(text.split()) > N_REMOVED for text in X]
        texts = [X[row] for row in np.flatnonzero(is_used)]
        outcomes.append(measure(classifier, texts, y[is_used], seed))
        log.info("seed %d, %d sentences: %s", seed, len(texts), outcomes[-1])
    result["sets"]["sst2"] = {"n_sentences": len(texts)}
    result["rows"] = [
        {"set": "sst2", "arm": method, **summarize([one[method] for one in outcomes])}
        for method in METHODS
    ]
    report.show(result, "sst2", options.json)
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    run(options, setup.make_setup(options))


if __name__ == "__main__":
    main()
