"""How fast this package is in five minutes, next to the published ratios.

``make bench-quick`` shows whether a change made it slower: how many times as fast as
each peer it encodes and fine-tunes now, and did in each file of benchmarks/results that
was measured on such a device. Compare with the same CPU. The runs are short: a
difference of a tenth means nothing, and in fine-tuning, what does not grow with the
number of texts counts for more than in the published runs.
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.encoding import __main__ as encoding
from benchmarks.finetuning import __main__ as finetuning
from benchmarks.finetuning.arms import BASELINE, TUNED
from benchmarks.shared import report, setup
from benchmarks.shared.report import Result
from benchmarks.shared.setup import Setup

RESULTS = report.ROOT / "benchmarks" / "results"
# Ours, then the peers: for each question, what is compared and by which column.
ARMS = {
    "encoding": (
        "sklearn_bert-float32",
        "sentence-transformers-default",
        "sentence-transformers-float32",
        "onnxruntime-float32",
        "openvino-float32",
    ),
    "finetuning": ("sklearn_bert", BASELINE, *TUNED),
}
COLUMNS = {"encoding": "speed_ratio", "finetuning": "ratio_to_default"}
SETS = ("mixed", "one")
# Three minutes on two cores, half of them the search of the peers' batch sizes.
OPTIONS = {
    "encoding": ["--sets", *SETS, "--n-texts", "192", "--repeats", "5"],
    "finetuning": ["--n-train", "128", "--epochs", "1", "--seeds", "3"],
}

# Question, set and peer to times as fast.
Ratios = dict[tuple[str, str, str], float]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="train.tsv (default: film reviews)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, given: Setup, folder: Path) -> list[Result]:
    """Measure both questions; ``folder`` is for files that are not kept."""
    data = options.data or write_reviews(folder)
    common = ["--model", options.model, "--seed", str(options.seed)]
    if options.quick:
        common.append("--quick")

    def arguments(question: str) -> list[str]:
        return [*common, *OPTIONS[question], "--arms", *ARMS[question]]

    encode = encoding.parse_arguments(arguments("encoding"))
    tune = finetuning.parse_arguments([*arguments("finetuning"), "--data", str(data)])
    return [
        encoding.run(encode, given, str(folder / "model.onnx")),
        finetuning.run(tune, given),
    ]


def write_reviews(folder: Path) -> Path:
    """Write the sentences of film reviews as a data set with two classes."""
    from sklearn_bert.datasets import fetch_vader_sentiment

    reviews = fetch_vader_sentiment(subset="movies")
    target = folder / "reviews"
    target.mkdir()
    with (target / "train.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, dialect="excel-tab")
        writer.writerow(["text", "label"])
        writer.writerows(zip(reviews.data, reviews.target > 0, strict=True))
    return target


def ratios(result: Result) -> Ratios:
    """Return how many times as fast as each peer this package is."""
    question = result["question"]
    if question not in ARMS:
        return {}
    ours, *peers = ARMS[question]
    to_baseline = {
        (row["set"], row["arm"]): row[COLUMNS[question]]["median"]
        for row in result["rows"]
        if row.get(COLUMNS[question]) is not None
    }
    return {
        # The fine-tuned sets differ in their texts and are one set here.
        (question, name if question == "encoding" else "", arm): own / of_peer
        for (name, arm), of_peer in to_baseline.items()
        if arm in peers and (own := to_baseline.get((name, ours)))
    }


def published(folder: Path, device: str) -> Iterator[tuple[str, Ratios]]:
    """Yield the names and ratios of the files in ``folder`` that can be compared."""
    for path in sorted(folder.glob("*.json")):
        result = report.read_json(path)
        if result["machine"]["device"] != device or result["settings"].get("busy"):
            continue
        if found := ratios(result):
            yield path.stem, found


def side_by_side(results: list[Result], folder: Path) -> str:
    """Lay out the ratios of ``results``, and of the files in ``folder``."""
    machine = results[0]["machine"]
    columns = {
        "now": {key: one for each in results for key, one in ratios(each).items()}
    }
    columns |= dict(published(folder, machine["device"]))
    lines = [
        [
            " ".join(filter(None, key)),
            *(report.cell(one.get(key)) for one in columns.values()),
        ]
        for key in columns["now"]
    ]
    title = f"Times as fast as each peer on {machine['cpu']}, now and published:"
    return f"{title}\n{report.table(['', *columns], lines)}"


def main(arguments: list[str] | None = None) -> None:
    """Run both benchmarks from the command line."""
    options = parse_arguments(arguments)
    setup.start_logging()
    with tempfile.TemporaryDirectory() as folder:
        results = run(options, setup.make_setup(options), Path(folder))
    if options.json:
        report.write_json({"results": results}, options.json)
    print(side_by_side(results, RESULTS))


if __name__ == "__main__":
    main()
