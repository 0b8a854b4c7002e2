"""Texts whose lengths answer one question each, cut from real sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.data import read_rows

# Tokens, the special ones included.
SHORT = range(8, 13)
CONSTANT = 32
LONG = 256

# Of --n-texts, so that no set takes much longer than the mixed one.
SHARES = {"short": 1.0, "mixed": 1.0, "long": 1 / 12, "constant": 1.0, "one": 1 / 12}


@dataclass(frozen=True)
class TextSet:
    """Some texts and how many tokens an encoder reads of each.

    Attributes
    ----------
    name : str
    origin : str
        How the texts were made, in words.
    texts : list of str
    lengths : list of int
        Real tokens of each text, special ones included, after truncation.
    """

    name: str
    origin: str
    texts: list[str]
    lengths: list[int]


def default_texts() -> list[str]:
    """Return movie-review sentences, which the package fetches itself."""
    from sklearn_bert.datasets import fetch_vader_sentiment

    return [str(text) for text in fetch_vader_sentiment(subset="movies").data]


def read_texts(folders: Sequence[Path]) -> list[str]:
    """Return the column ``text`` of all TSV files in the folders.

    Parameters
    ----------
    folders : sequence of pathlib.Path
        Each holds TSV files, or one folder per data set with TSV files. They have
        a header row, UTF-8 and csv quoting; files without that column are left out.

    Returns
    -------
    list of str
        In the files' order, without blank texts.
    """
    texts = [
        row["text"]
        for folder in folders
        for file in sorted([*folder.glob("*.tsv"), *folder.glob("*/*.tsv")])
        for row in read_rows(file)
        if (row.get("text") or "").strip()
    ]
    if not texts:
        names = ", ".join(str(folder) for folder in folders)
        raise ValueError(
            f"--data must name folders with TSV files that have a column 'text'. "
            f"Found no such text in {names}."
        )
    return texts


class TextSets:
    """Makes text sets from one collection of texts.

    Parameters
    ----------
    texts : list of str
        Consecutive texts may be joined into longer ones.
    tokenizer : tokenizers.Tokenizer
        Without padding and truncation.
    max_length : int
        Tokens that an encoder reads of a text.
    seed : int
    """

    def __init__(
        self, texts: list[str], tokenizer: Any, max_length: int, seed: int
    ) -> None:
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._seed = seed
        self._n_special = tokenizer.num_special_tokens_to_add(False)
        lengths = self._count(texts)
        pairs = list(zip(texts, lengths, strict=True))
        self._sentences = [text for text, n in pairs if n <= max_length]
        self._short = [text for text, n in pairs if n in SHORT]
        self._documents = [text for text, n in pairs if n > max_length]
        self._floor = min(LONG, max_length)

    def make(self, name: str, n_texts: int) -> TextSet:
        """Return the set of that name: at most its share of ``n_texts`` texts."""
        n_texts = max(int(n_texts * SHARES[name]), 1)
        # Each set draws from a stream of its own, whatever other sets are made.
        random = np.random.default_rng([self._seed, *name.encode()])
        if name == "short":
            origin = f"real sentences of {SHORT.start} to {SHORT.stop - 1} tokens"
            texts = _draw(self._short, n_texts, random)
        elif name == "constant":
            origin = "consecutive sentences, joined and cut to one length"
            texts = self._make_constant(n_texts)
        elif name == "long" and self._documents:
            origin = "real documents"
            texts = _draw(self._documents, n_texts, random)
        elif name == "long":
            origin = "consecutive sentences, joined"
            lengths = random.integers(self._floor, self._max_length + 1, n_texts)
            texts = self._join(lengths.tolist())
        else:
            origin = "real sentences as they are"
            texts = _draw(self._sentences, n_texts, random)
        if not texts:
            raise ValueError(
                f"The texts must suffice for at least one text of the set {name!r}. "
                "Got none. Add longer texts with --data, or lower --max-length."
            )
        lengths = [min(n, self._max_length) for n in self._count(texts)]
        return TextSet(name, origin, texts, lengths)

    def _make_constant(self, n_texts: int) -> list[str]:
        length = min(CONSTANT, self._max_length)
        # Some tokenizers split a cut text differently: make more, keep the exact ones.
        joined = self._join([length] * (2 * n_texts))
        counted = zip(joined, self._count(joined), strict=True)
        return [text for text, n in counted if n == length][:n_texts]

    def _count(self, texts: list[str]) -> list[int]:
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(texts)]

    def _join(self, targets: list[int]) -> list[str]:
        """Join sentences in their order; cut each sum to its number of tokens."""
        joined: list[str] = []
        parts: list[str] = []
        n_tokens = 0
        for sentence, n in zip(
            self._sentences, self._count(self._sentences), strict=True
        ):
            if len(joined) == len(targets):
                break
            parts.append(sentence)
            n_tokens += n - self._n_special
            target = targets[len(joined)] - self._n_special
            if n_tokens >= target:
                joined.append(self._cut(" ".join(parts), target))
                parts, n_tokens = [], 0
        return joined

    def _cut(self, text: str, n_tokens: int) -> str:
        """Return the beginning of a text, so many tokens of it."""
        offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return text if len(offsets) <= n_tokens else text[: offsets[n_tokens - 1][1]]


def _draw(texts: list[str], n_texts: int, random: np.random.Generator) -> list[str]:
    """Draw texts without repetition, all of them if there are too few."""
    return [texts[row] for row in random.permutation(len(texts))[:n_texts]]
