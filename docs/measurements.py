"""The tables and figures of the performance page, from benchmarks/results/*.json.

In ``performance.rst``, the comment ``.. results: encoding`` is replaced by the figure
and the table of that name. ``python docs/measurements.py`` draws the figure of the
README, which is committed.
"""

import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Run as a script, this file does not see the root of the repository.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.shared.report import NOT_KNOWN, cell, read_json

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
FIGURES = Path(__file__).parent / "generated" / "performance"
# Readable in gray: ours is dark, peers are light.
OURS, PEERS, LINES = "#1b4f72", "#c4c9ce", "#5d6d7e"
ENCODING = ("encoding-xeon", "encoding-h100")
# The set of each file that is the usual case.
USUAL = {"encoding-xeon": "mixed"}
FINETUNING = ("finetuning-xeon-amx", "finetuning-h200", "finetuning-h100")
ACCURACY = "accuracy-xeon-amx"
CURVE = "learning-curve-epyc"
ARMS = {"sklearn_bert": "sklearn_bert", "trainer": "Trainer", "linear": "Linear model"}
DATA_SETS = {
    "sst2": "SST-2, sentences",
    "trec": "TREC, 6 classes",
    "banking77": "Banking77, 77 intents",
    "germeval2018": "GermEval 2018, German",
    "goemotions": "GoEmotions, 28 labels",
    "sick-entailment": "SICK, entailment of pairs",
    "sick-relatedness": "SICK, relatedness of pairs",
    "stsb": "STS-B, similarity of pairs",
    "wnut17": "WNUT-17, entities",
    "ud_ewt": "English Web Treebank, tags",
    "movie_reviews_v2": "Film reviews in windows",
    "movie_reviews_v2-256": "Film reviews, 256 tokens",
    "movie_reviews_v2-128": "Film reviews, 128 tokens",
}


def fill(source):
    """Return a page's source with its comments ``.. results: NAME`` replaced."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    parts = {"encoding": encoding, "finetuning": finetuning, "accuracy": accuracy}
    return re.sub(
        r"^\.\. results: (\w+)$", lambda match: parts[match[1]](), source, flags=re.M
    )


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
    draw_scores(scores)
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


def figure(name, caption):
    """Return the lines that show a figure."""
    path = f"generated/performance/{name}.png"
    return [f".. figure:: {path}", f"   :alt: {caption}", "", f"   {caption}", ""]


def list_table(headers, rows):
    """Return the lines of a table."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [headers, *rows]:
        lines += [
            f"   {'* -' if i == 0 else '  -'} {text}".rstrip()
            for i, text in enumerate(row)
        ]
    return [*lines, ""]


def source(result):
    """Say in a paragraph where and when a result was measured."""
    versions = ", ".join(
        f"{name} {version}" for name, version in result["versions"].items() if version
    )
    features = " ".join(result["machine"]["cpu_features"])
    parts = [
        f"*{machine(result)}*: {result['machine']['usable_cpus']} CPUs",
        features and f"with {features}",
        versions,
        f"{result['date']}.",
    ]
    return ", ".join(part for part in parts if part) + "\n"


def machine(result):
    """Return a short name of the machine: the GPU, or the CPU with what it can do."""
    about = result["machine"]
    kind, _, name = about["device"].partition(": ")
    if kind != "cpu":
        return name.removeprefix("NVIDIA ")
    return (
        f"{about['cpu']}, {'AMX' if 'amx_bf16' in about['cpu_features'] else 'AVX-512'}"
    )


def n_texts(result):
    """Return how many texts the first set has."""
    return f"{next(iter(result['sets'].values()))['n_texts']:,}"


def size(about):
    """Return the rows of a data set, if they were recorded."""
    if about["n_train"] is None:
        return NOT_KNOWN
    return f"{about['n_train']:,} / {about['n_test']:,}"


def arm_name(arm):
    """Return an arm's name as the page shows it, ours in bold."""
    name = re.sub(r"-(float32|bfloat16|bf16|default)", r", \1", arm)
    name = name.replace("-grouped", ", grouped by length").replace("bf16", "bfloat16")
    name = re.sub("^trainer", "Trainer", name).replace("openvino", "OpenVINO")
    return f"**{name}**" if is_ours(arm) else name


def is_ours(arm):
    return arm.startswith("sklearn_bert")


def draw_ratios(panels, column, label, name, *, share_axis=False):
    """Draw one panel of horizontal bars for each machine, one below the other."""
    heights = [len(rows) for rows in panels.values()]
    fig, axes = plt.subplots(
        len(panels),
        figsize=(7.5, 0.28 * sum(heights) + 0.75 * len(panels)),
        height_ratios=heights,
        sharex=share_axis,
        layout="constrained",
    )
    for ax, (title, rows) in zip(axes, panels.items(), strict=True):
        rows = sorted(rows, key=lambda row: row[column]["median"])
        medians = [row[column]["median"] for row in rows]
        low = [row[column]["median"] - row[column]["low"] for row in rows]
        high = [row[column]["high"] - row[column]["median"] for row in rows]
        colors = [OURS if is_ours(row["arm"]) else PEERS for row in rows]
        names = [arm_name(row["arm"]).strip("*") for row in rows]
        bars = {"linewidth": 1, "capsize": 2, "ecolor": "black"}
        ax.barh(names, medians, 0.7, color=colors, xerr=[low, high], error_kw=bars)
        ax.axvline(1, color=LINES, linewidth=1, linestyle="--")
        ax.set_title(title, fontsize="medium", loc="left")
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel(label)
    save(fig, name)


def draw_scores(scores):
    """Draw one line of points for each data set."""
    fig, ax = plt.subplots(figsize=(7.5, 0.36 * len(scores) + 1), layout="constrained")
    names = [f"{DATA_SETS[name]}: {measure}" for name, measure in scores]
    # Points of one line are moved apart, so that none hides another.
    styles = {
        "sklearn_bert": (-0.2, {"marker": "o", "color": OURS, "markersize": 7}),
        "trainer": (0, {"marker": "s", "color": LINES, "markerfacecolor": "white"}),
        "linear": (0.2, {"marker": "x", "color": LINES}),
    }
    for arm, (shift, style) in styles.items():
        places = [i + shift for i, one in enumerate(scores.values()) if arm in one]
        figures = [one[arm] for one in scores.values() if arm in one]
        ax.errorbar(
            [one["mean"] for one in figures],
            places,
            xerr=[one["sd"] or 0 for one in figures],
            linestyle="none",
            label=ARMS[arm],
            **style,
        )
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel("test score")
    ax.grid(axis="y", color="#e5e8eb")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    save(fig, "accuracy")


def draw_learning_curve():
    """Draw the figure of the README: accuracy by the number of labeled texts."""
    curve, full, tfidf = (
        read_json(RESULTS / f"{name}.json")["rows"]
        for name in (CURVE, ACCURACY, "tfidf-epyc")
    )
    arms = {
        "sklearn_bert": ("BertClassifier (fine-tuned)", full, "sklearn_bert", OURS),
        "BertVectorizer+LogisticRegression": (
            *("BertVectorizer + LogisticRegression", full, "linear", "#2e86c1"),
        ),
        "TfidfVectorizer+LogisticRegression": (
            "TfidfVectorizer + LogisticRegression",
            tfidf,
            "TfidfVectorizer+LogisticRegression",
            LINES,
        ),
    }
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    sizes = [16, 64, 256, 1024, 6920]
    for arm, (label, last, last_arm, color) in arms.items():
        figures = [row["test"] for row in curve if row["arm"] == arm]
        (end,) = (
            row.get("score") or row["test"]
            for row in last
            if (row["set"], row["arm"]) == ("sst2", last_arm)
        )
        means = [one["mean"] for one in [*figures, end]]
        spread = [one["sd"] or 0 for one in [*figures, end]]
        ax.errorbar(sizes, means, spread, fmt="o-", color=color, label=label, capsize=2)
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel="labeled sentences of film reviews (SST-2)", ylabel="test accuracy")
    ax.set_ylim(0.48, 1)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    path = ROOT / "docs" / "images" / "learning_curve.png"
    path.parent.mkdir(exist_ok=True)
    fig.savefig(path, dpi=130)
    plt.close(fig)


def save(fig, name):
    fig.savefig(FIGURES / f"{name}.png", dpi=150)
    plt.close(fig)


if __name__ == "__main__":
    draw_learning_curve()
