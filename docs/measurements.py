"""The tables and figures of measurements, from benchmarks/results/*.json.

In a page, the comment ``.. results: encoding`` is replaced by the figure and the table
of that name. ``python docs/measurements.py`` draws the figure of the
README, which is committed.
"""

import re
import sys
from functools import partial
from pathlib import Path

import matplotlib
from drawing import (
    ARMS,
    FIGURES,
    OUR_ARM,
    arm_name,
    draw_few_texts,
    draw_gain,
    draw_learning_curve,
    draw_ratios,
    draw_scores,
    draw_summary,
    is_ours,
)
from tables import figure, list_table, machine, source

# Run as a script, this file does not see the root of the repository.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.shared.report import NOT_KNOWN, cell, read_json

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
ENCODING = ("encoding-xeon", "encoding-epyc", "encoding-epyc-avx2", "encoding-h100")
# Files, sets and dtypes whose speed is that of many texts.
SCALING = (
    ("encoding-xeon", "mixed", "float32"),
    ("encoding-xeon", "short", "float32"),
    ("encoding-xeon", "long", "float32"),
    ("encoding-epyc", "mixed", "float32"),
    ("encoding-epyc-avx2", "mixed", "float32"),
    ("encoding-h100", "sst2", "float32"),
    ("encoding-h100", "sst2", "bfloat16"),
)
# The set of each file that is the usual case.
USUAL = {"encoding-xeon": "mixed"}
FINETUNING = (
    "finetuning-xeon-amx",
    "finetuning-epyc-avx2",
    "finetuning-h200",
    "finetuning-h100",
)
ACCURACY = "accuracy-xeon-amx"
# A later file replaces rows of an earlier one.
FEW_TEXTS = (
    "few-texts-epyc",
    "few-texts-64-epyc-avx2",
    "few-texts-64-germeval-epyc-avx2",
)
MORE_TEXTS = ("more-texts-epyc", "more-texts-draw-1-epyc-avx2", "more-texts-epyc-avx2")
CALIBRATION = "calibration-epyc"
CURVE = "learning-curve-epyc"
DATA_SETS = {
    "sst2": "SST-2, sentences",
    "trec": "TREC, 6 classes",
    "banking77": "Banking77, 77 intents",
    "germeval2018": "GermEval 2018, German",
    "goemotions": "GoEmotions, 28 labels",
    "reviews": "Customer reviews",
    "sick-entailment": "SICK, entailment of pairs",
    "sick-relatedness": "SICK, relatedness of pairs",
    "stsb": "STS-B, similarity of pairs",
    "wnut17": "WNUT-17, entities",
    "ud_ewt": "English Web Treebank, tags",
    "movie_reviews_v2": "Film reviews in windows",
    "movie_reviews_v2-256": "Film reviews, 256 tokens",
    "movie_reviews_v2-128": "Film reviews, 128 tokens",
}

LONG = ("movie_reviews_v2-128", "movie_reviews_v2-256", "movie_reviews_v2")
PAIRS = ("stsb", "sick-entailment")


def fill(source):
    """Return a page's source with its comments ``.. results: NAME`` replaced."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    # The examples, which run in the same process, set sizes of fonts.
    matplotlib.rcdefaults()
    parts = {
        "encoding": encoding,
        "finetuning": finetuning,
        "accuracy": accuracy,
        "few_texts": few_texts,
        "more_texts": more_texts,
        "calibration": calibration,
        "gain": gain,
        "long_texts": partial(gain, "long_texts", LONG),
        "pairs": partial(gain, "pairs", PAIRS),
        "summary": summary,
        "scaling": scaling,
    }
    return re.sub(
        r"^\.\. results: (\w+)$", lambda match: parts[match[1]](), source, flags=re.M
    )


def summary():
    """How much faster than the default and than the best setting of other libraries."""
    rows = [
        (what, machine(result), *ratios(usual_rows(result, USUAL.get(name)), column))
        for what, names, column in (
            ("Encoding", ENCODING, "speed_ratio"),
            ("Fine-tuning", FINETUNING, "ratio_to_default"),
        )
        for name in names
        for result in [read_json(RESULTS / f"{name}.json")]
    ]
    draw_summary(rows)
    headers = ["", "machine", "times the default", "times the best other"]
    lines = [[*row[:2], *(f"{one:.1f}" for one in row[2:])] for row in rows]
    caption = (
        "Speed as a multiple of sentence-transformers (encoding) and of"
        " Trainer (fine-tuning) by default. The line is equal speed."
    )
    return "\n".join([*figure("summary", caption), *list_table(headers, lines)])


def ratios(rows, column):
    """Return our best speed relative to the default, and to the best other arm."""

    def speed(row):
        return row[column]["median"]

    ours = max((row for row in rows if is_ours(row["arm"])), key=speed)
    if "ratio_to_best" in ours:  # Taken round by round.
        return speed(ours), ours["ratio_to_best"]["median"]
    best = max(speed(row) for row in rows if not is_ours(row["arm"]))
    return speed(ours), speed(ours) / best


def encoding():
    """Speed relative to sentence-transformers' default, and the figures behind it."""
    results = {name: read_json(RESULTS / f"{name}.json") for name in ENCODING}
    rows = {name: usual_rows(results[name], USUAL.get(name)) for name in results}
    panels = {machine(results[name]): rows[name] for name in results}
    draw_ratios(
        panels, "speed_ratio", "times sentence-transformers' default", "encoding"
    )
    columns = {
        "texts_per_s": "texts/s",
        "speed_ratio": "times the default",
        "share_of_ceiling": "of the ceiling",
        "max_cosine_distance": "max 1 − cosine",
    }
    return figure_and_table(
        "encoding",
        "Encoding speed, median and range of the rounds; the line is the baseline.",
        columns,
        results,
        rows,
    )


def scaling():
    """How long one machine takes for many texts, at the speed that was measured."""
    results = {name: read_json(RESULTS / f"{name}.json") for name, _, _ in SCALING}
    lines = []
    for name, texts, arm in SCALING:
        result = results[name]
        (speed,) = (
            row["texts_per_s"]["median"]
            for row in result["rows"]
            if (row["set"], row["arm"]) == (texts, f"sklearn_bert-{arm}")
        )
        about = [machine(result), result["sets"][texts]["origin"], arm, f"{speed:,.0f}"]
        lines.append([*about, *(duration(n / speed) for n in (1e6, 1e8, 1e10))])
    headers = ["one machine", "texts", "dtype", "texts/s", "1 million", "100 million"]
    headers += ["10 billion"]
    sources = [source(result) for result in results.values()]
    return "\n".join([*list_table(headers, lines), *sources])


def duration(seconds):
    """Return a number of seconds in a unit that suits it."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def finetuning():
    """Speed relative to Trainer's default, and the figures behind it."""
    results = {name: read_json(RESULTS / f"{name}.json") for name in FINETUNING}
    rows = {name: usual_rows(results[name]) for name in results}
    panels = {
        f"{machine(results[name])}: {n_texts(results[name])} texts": [
            # Linear models fine-tune nothing: their bars would hide all others.
            row
            for row in rows[name]
            if row["arm"].startswith(("sklearn_bert", "trainer"))
        ]
        for name in results
    }
    label = "times Trainer's default"
    draw_ratios(panels, "ratio_to_default", label, "finetuning", share_axis=True)
    columns = {
        "fit_s": "seconds",
        "ratio_to_default": "times the default",
        "loop_tokens_per_s": "loop, tokens/s",
        "test": "test accuracy",
    }
    return figure_and_table(
        "finetuning",
        "Fine-tuning speed, median and range of the rounds; the line is the baseline.",
        columns,
        results,
        rows,
    )


def accuracy():
    """Test scores on all data sets."""
    result = read_json(RESULTS / f"{ACCURACY}.json")
    scores = {}
    for row in result["rows"]:
        key = (row["set"], row["measure"])
        scores.setdefault(key, {})[row["arm"]] = row["score"]
    draw_scores(
        {
            f"{DATA_SETS[name]}: {measure}": one
            for (name, measure), one in scores.items()
        }
    )
    lines = [
        [
            f"{DATA_SETS[name]}: {measure}",
            size(result["sets"][name]),
            *(cell(one.get(arm)) for arm in ARMS),
            result["sets"][name]["published"] or NOT_KNOWN,
        ]
        for (name, measure), one in scores.items()
    ]
    headers = ["data: score", "train / test rows", *ARMS.values(), "published"]
    caption = "Test scores, mean and standard deviation over the seeds."
    return "\n".join(
        [*figure("accuracy", caption), *list_table(headers, lines), source(result)]
    )


def few_texts():
    """Test accuracy by the number of labeled texts per class, and what it takes."""
    results = [read_json(RESULTS / f"{name}.json") for name in FEW_TEXTS]
    arms = ("linear", OUR_ARM, "setfit")
    rows = rows_by_set_and_arm(results)
    cells = [tuple(label.rsplit("-", 1)) for label in results[0]["sets"]]
    draw_few_texts(
        {
            DATA_SETS[name]: {
                arm: {
                    int(size): rows[f"{name}-{size}", arm]["accuracy"]
                    for other, size in cells
                    if other == name and "accuracy" in rows[f"{name}-{size}", arm]
                }
                for arm in arms
            }
            for name in dict.fromkeys(name for name, _ in cells)
        }
    )
    lines = [
        [
            DATA_SETS[name],
            size,
            *(cell(rows[f"{name}-{size}", arm].get("accuracy")) for arm in arms),
            *(cell(rows[f"{name}-{size}", arm].get("cpu_s")) for arm in arms[1:]),
        ]
        for name, size in cells
    ]
    headers = ["data", "texts per class", *(ARMS[arm] for arm in arms)]
    headers += ["seconds", "SetFit's"]
    caption = "Test accuracy, mean and standard deviation over draws of the texts."
    sources = dict.fromkeys(map(source, results))
    return "\n".join(
        [*figure("few_texts", caption), *list_table(headers, lines), *sources]
    )


def more_texts():
    """Test accuracy with some hundreds or thousands of texts, and what it takes."""
    results = [read_json(RESULTS / f"{name}.json") for name in MORE_TEXTS]
    arms = (OUR_ARM, "trainer")
    lines = []
    for result in results:
        rows = rows_by_set_and_arm([result])
        for label in result["sets"]:
            name, size = label.rsplit("-", 1)
            about = [DATA_SETS[name], f"{int(size):,}", result["settings"]["seed"]]
            scores, seconds = (
                [cell(rows[label, arm].get(column)) for arm in arms]
                for column in ("accuracy", "cpu_s")
            )
            lines.append([*about, *scores, *seconds])
    headers = ["data", "texts", "seed", *(ARMS[arm] for arm in arms)]
    headers += ["seconds", "Trainer's"]
    sources = dict.fromkeys(map(source, results))
    return "\n".join([*list_table(headers, lines), *sources])


def rows_by_set_and_arm(results):
    """Return a row for each set and arm, of the last result that has it."""
    return {
        (row["set"], row["arm"]): row for result in results for row in result["rows"]
    }


def calibration():
    """What a correction of the probabilities of fine-tuned classifiers changes."""
    result = read_json(RESULTS / f"{CALIBRATION}.json")
    lines = [
        [
            DATA_SETS[row["set"]],
            row["arm"],
            *(f"{row[column]['mean']:.3f}" for column in result["columns"]),
        ]
        for row in result["rows"]
    ]
    headers = ["data", "correction", *result["columns"].values()]
    return "\n".join([*list_table(headers, lines), source(result)])


def gain(name="gain", sets=None):
    """What fine-tuning adds to a linear model of frozen features.

    All data sets are sorted by it. If some are given, these are shown in their order.
    """
    result = read_json(RESULTS / f"{ACCURACY}.json")
    scores = {}
    for row in result["rows"]:
        key = (row["set"], row["measure"])
        scores.setdefault(key, {})[row["arm"]] = row["score"]["mean"]
    both = {key: one for key, one in scores.items() if {"linear", OUR_ARM} <= {*one}}
    if sets is None:
        keys = sorted(both, key=lambda key: both[key]["linear"] - both[key][OUR_ARM])
    else:
        keys = [key for one in sets for key in both if key[0] == one]
    rows = [
        (f"{DATA_SETS[key[0]]}: {key[1]}", both[key]["linear"], both[key][OUR_ARM])
        for key in keys
    ]
    draw_gain(rows, name)
    lines = [
        [label, f"{frozen:.3f}", f"{tuned:.3f}", f"{tuned - frozen:+.3f}"]
        for label, frozen, tuned in rows
    ]
    headers = ["data: score", "features", "fine-tuned", "gain"]
    caption = "Test scores of frozen features with a linear model, and of fine-tuning."
    return "\n".join([*figure(name, caption), *list_table(headers, lines)])


def usual_rows(result, name=None):
    """Return the rows of one set, the first if none is named."""
    name = name or next(iter(result["sets"]))
    return [row for row in result["rows"] if row["set"] == name]


def figure_and_table(name, caption, columns, results, rows):
    """Return one figure, and one table whose rows are machines and arms."""
    headers = ["machine", "arm", *columns.values()]
    lines = [
        [machine(results[key]) if i == 0 else "", arm_name(row["arm"])]
        + [cell(row.get(column)) for column in columns]
        for key in results
        for i, row in enumerate(rows[key])
    ]
    sources = [source(result) for result in results.values()]
    return "\n".join([*figure(name, caption), *list_table(headers, lines), *sources])


def n_texts(result):
    """Return how many texts the first set has."""
    return f"{next(iter(result['sets'].values()))['n_texts']:,}"


def size(about):
    """Return the rows of a data set, if they were recorded."""
    if about["n_train"] is None:
        return NOT_KNOWN
    return f"{about['n_train']:,} / {about['n_test']:,}"


def learning_curve():
    """Draw the figure of the README: accuracy by the number of labeled texts."""
    curve, full, tfidf = (
        read_json(RESULTS / f"{name}.json")["rows"]
        for name in (CURVE, ACCURACY, "tfidf-epyc")
    )
    # The label of each arm of the curve, and where its score on all texts is.
    arms = {
        OUR_ARM: ("BertClassifier (fine-tuned)", full, OUR_ARM),
        "BertVectorizer+LogisticRegression": (
            *("BertVectorizer + LogisticRegression", full, "linear"),
        ),
        "TfidfVectorizer+LogisticRegression": (
            *("TfidfVectorizer + LogisticRegression", tfidf),
            "TfidfVectorizer+LogisticRegression",
        ),
    }
    lines = {}
    for arm, (label, last, last_arm) in arms.items():
        (end,) = (
            row.get("score") or row["test"]
            for row in last
            if (row["set"], row["arm"]) == ("sst2", last_arm)
        )
        lines[label] = [*(row["test"] for row in curve if row["arm"] == arm), end]
    path = ROOT / "docs" / "images" / "learning_curve.png"
    draw_learning_curve([16, 64, 256, 1024, 6920], lines, path)


if __name__ == "__main__":
    learning_curve()
