"""Rows of data sets: read from TSV files, and drawn."""

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

# X and y, with one entry per row.
Split = tuple[list[Any], np.ndarray]


def read_rows(file: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a TSV file (UTF-8, csv quoting) by the names of its header."""
    # The default limit of 131,072 characters is less than some documents.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, dialect="excel-tab")


def read_labeled(file: Path) -> Split:
    """Return the columns ``text`` and ``label`` of a TSV file."""
    if not file.exists():
        raise SystemExit(f"--data must hold {file.parent.name}/{file.name}.")
    rows = list(read_rows(file))
    missing = [name for name in ("text", "label") if not rows or name not in rows[0]]
    if missing:
        raise ValueError(
            f"A file of --data must have the columns 'text' and 'label' and at least "
            f"one row. {file} has no {' and no '.join(missing)}."
        )
    return [row["text"] for row in rows], np.array([row["label"] for row in rows])


def take(split: Split, rows: Sequence[int] | np.ndarray) -> Split:
    """Return the given rows."""
    X, y = split
    return [X[row] for row in rows], y[rows]


def draw(split: Split, n: int | None, seed: int) -> Split:
    """Draw ``n`` rows without repetition; return all if None or too few."""
    if n is None or n >= len(split[0]):
        return split
    return take(split, np.random.default_rng(seed).permutation(len(split[0]))[:n])


def draw_per_class(split: Split, n: int, seed: int) -> Split:
    """Draw ``n`` rows of every class, or all rows of a class with fewer."""
    order = np.random.default_rng(seed).permutation(len(split[0]))
    labels = split[1][order]
    rows = [order[labels == label][:n] for label in np.unique(labels)]
    return take(split, np.concatenate(rows))


def describe_lengths(lengths: Sequence[int]) -> dict[str, Any]:
    """Return what a reader needs to judge texts of so many tokens."""
    return {
        "n_texts": len(lengths),
        "n_tokens": sum(lengths),
        "shortest": min(lengths),
        "median": median(lengths),
        "longest": max(lengths),
    }
