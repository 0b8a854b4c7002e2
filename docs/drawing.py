"""The figures of measurements, drawn from the numbers that measurements.py reads.

They are about as wide as a phone, so that their text is legible there.
"""

import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FIGURES = Path(__file__).parent / "generated" / "performance"
# Readable in gray: ours is dark, peers are light.
OURS, BLUE, PEERS, LINES = "#1b4f72", "#2e86c1", "#c4c9ce", "#5d6d7e"
OUR_ARM = "sklearn_bert"
ARMS = {
    "sklearn_bert": "sklearn_bert",
    "trainer": "Trainer",
    "linear": "Linear model",
    "setfit": "SetFit",
}


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
        figsize=(5.6, 0.28 * sum(heights) + 0.75 * len(panels)),
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
        ax.set_title(title, fontsize="small", loc="left")
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel(label)
    save(fig, name)


def draw_scores(scores):
    """Draw one line of points for each data set."""
    fig, ax = plt.subplots(figsize=(5.6, 0.42 * len(scores) + 1), layout="constrained")
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
    names = [name.replace(": ", "\n", 1) for name in scores]
    ax.set_yticks(range(len(names)), names, fontsize="small")
    ax.invert_yaxis()
    ax.set_xlabel("test score")
    ax.grid(axis="y", color="#e5e8eb")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    save(fig, "accuracy")


def draw_few_texts(sets):
    """Draw a panel for each data set: a line per arm, by the texts of each class."""
    fig, axes = plt.subplots(-(-len(sets) // 2), 2, figsize=(5.6, 6.4), sharex=True)
    styles = {
        "setfit": {"marker": "s", "color": LINES, "markerfacecolor": "white"},
        "linear": {"marker": "x", "color": LINES, "linestyle": ":"},
        OUR_ARM: {"marker": "o", "color": OURS},
    }
    for ax, (title, arms) in zip(axes.flat, sets.items(), strict=True):
        for arm, style in styles.items():
            figures = arms[arm]
            means = [one["mean"] for one in figures.values()]
            spread = [one["sd"] or 0 for one in figures.values()]
            ax.errorbar(
                list(figures), means, spread, label=ARMS[arm], capsize=2, **style
            )
        ax.set_xscale("log")
        ax.set_xticks([8, 16, 64], ["8", "16", "64"])
        ax.minorticks_off()
        ax.set_title(title, fontsize="small", loc="left")
        ax.spines[["top", "right"]].set_visible(False)
    fig.supxlabel("labeled texts per class", fontsize="medium")
    fig.supylabel("test accuracy", fontsize="medium")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="upper center", ncols=3, frameon=False)
    fig.tight_layout(rect=(0, 0, 1, 0.95))
    save(fig, "few_texts")


def draw_gain(rows, name):
    """Draw an arrow from the score of frozen features to that of fine-tuning."""
    height = 0.46 * len(rows) + 1.1
    fig, ax = plt.subplots(figsize=(5.2, height), layout="constrained")
    for i, (_, frozen, tuned) in enumerate(rows):
        ax.plot([frozen, tuned], [i, i], color=PEERS, linewidth=3, zorder=1)
    places = range(len(rows))
    frozen, tuned = zip(*(row[1:] for row in rows), strict=True)
    ax.scatter(frozen, places, color="white", edgecolor=LINES, label="features")
    ax.scatter(tuned, places, color=OURS, label="fine-tuned")
    ax.set_yticks(
        places, [row[0].replace(": ", "\n", 1) for row in rows], fontsize="small"
    )
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.locator_params(axis="x", nbins=6)
    ax.set_xlabel("test score")
    ax.spines[["top", "right"]].set_visible(False)
    fig.legend(frameon=False, loc="outside upper right", ncols=2)
    save(fig, name)


def draw_summary(rows):
    """Draw a bar for each task and machine."""
    fig, ax = plt.subplots(figsize=(5.2, 0.4 * len(rows) + 0.7), layout="constrained")
    bars = ax.barh(
        [f"{what}, {name}" for what, name, *_ in rows],
        [row[2] for row in rows],
        0.6,
        color=OURS,
    )
    ax.bar_label(bars, fmt="%.1f", padding=3)
    ax.axvline(1, color=LINES, linewidth=1, linestyle="--")
    ax.invert_yaxis()
    # Wider than the axes.
    fig.supxlabel("times the default of the other library", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    save(fig, "summary")


def draw_learning_curve(sizes, lines, path):
    """Draw a line for each label: the means and deviations by the number of texts."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    for (label, figures), color in zip(lines.items(), (OURS, BLUE, LINES), strict=True):
        means = [one["mean"] for one in figures]
        spread = [one["sd"] or 0 for one in figures]
        ax.errorbar(sizes, means, spread, fmt="o-", color=color, label=label, capsize=2)
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel="labeled sentences of film reviews (SST-2)", ylabel="test accuracy")
    ax.set_ylim(0.48, 1)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper left")
    path.parent.mkdir(exist_ok=True)
    fig.savefig(path, dpi=130)
    plt.close(fig)


def save(fig, name):
    fig.savefig(FIGURES / f"{name}.png", dpi=150)
    plt.close(fig)
