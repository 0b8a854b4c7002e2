"""Texts with labels, for what learns from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _data import TextSet, read_rows


@dataclass(frozen=True)
class Labelled:
    """Some texts and the class of each.

    Attributes
    ----------
    texts : list of str
    labels : list of str
    """

    texts: list[str]
    labels: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def classes(self) -> list[str]:
        """The labels that occur, sorted."""
        return sorted(set(self.labels))

    def draw(self, n: int | None, seed: int) -> "Labelled":
        """Draw some without repetition; all of them if None or too few."""
        if n is None or n >= len(self):
            return self
        rows = np.random.default_rng(seed).permutation(len(self))[:n]
        return Labelled(
            [self.texts[row] for row in rows], [self.labels[row] for row in rows]
        )

    def accuracy(self, predicted: Any) -> float:
        """Return the share of the texts whose predicted label is right."""
        return float(np.mean(np.asarray(predicted) == np.asarray(self.labels)))

    def describe(self, tokenizer: Any, max_length: int) -> dict[str, Any]:
        """Return how many texts and tokens an encoder reads, without the texts."""
        lengths = [
            min(len(encoding.ids), max_length)
            for encoding in tokenizer.encode_batch(self.texts)
        ]
        n_classes = len(self.classes)
        text_set = TextSet("train", f"{n_classes} classes", self.texts, lengths)
        return {**text_set.describe(), "n_classes": n_classes}


def read_split(folder: Path, split: str) -> Labelled | None:
    """Return the texts of a file ``split.tsv``, None if there is no such file.

    Parameters
    ----------
    folder : pathlib.Path
    split : {"train", "dev", "test"}
        The file has a header row with the columns ``text`` and ``label``, UTF-8 and
        csv quoting.
    """
    file = folder / f"{split}.tsv"
    if not file.exists():
        return None
    rows = list(read_rows(file))
    missing = [name for name in ("text", "label") if not rows or name not in rows[0]]
    if missing:
        raise ValueError(
            f"A file of --data must have the columns 'text' and 'label' and a row or "
            f"more. {file} has no {' and no '.join(missing)}."
        )
    return Labelled([row["text"] for row in rows], [row["label"] for row in rows])
