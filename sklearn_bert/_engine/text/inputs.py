"""The validated samples of one call, and their tokenization."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_bert._engine.runtime.prefetch import prefetch
from sklearn_bert._engine.runtime.splitting import split_greedily
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.text.words import tokenize_words

# Samples tokenized and sorted at a time: enough to find many of equal length, and few
# enough to bound the memory.
SAMPLES_PER_CHUNK = 4096
_CHARACTERS_PER_CHUNK = 4_000_000


@dataclass(frozen=True)
class TokenizingConfig:
    """Parameters of tokenization.

    Attributes
    ----------
    max_length : int
        Maximum number of tokens per sequence, including special tokens.
    long_text : {"truncate", "head_tail", "window"}
        How to handle longer texts. Sentences are always read in windows.
    prompt : str
        The text in front of every text, or of the first text of every pair. Sentences
        have none.
    """

    max_length: int
    long_text: str
    prompt: str = ""


@dataclass(frozen=True)
class Texts:
    """One text, or one pair of texts, per sample.

    Attributes
    ----------
    first : list of str
    second : list of str or None
        The second texts of the pairs.
    """

    first: list[str]
    second: list[str] | None = None

    @property
    def n_columns(self) -> int:
        """1 for texts, 2 for pairs."""
        return 1 if self.second is None else 2

    @property
    def n_rows(self) -> int:
        """One per text."""
        return len(self.first)

    @property
    def n_rows_each(self) -> np.ndarray:
        """Number of rows of each text: one."""
        return np.ones(len(self), dtype=np.int64)

    @property
    def contents(self) -> Iterable[Hashable]:
        """What distinguishes each text or pair from the others."""
        return self.to_list()

    def owners(self) -> np.ndarray:
        """Return the text of each row of :attr:`n_rows`."""
        return np.arange(len(self))

    @property
    def n_characters(self) -> list[int]:
        """Number of characters of each text or pair."""
        if self.second is None:
            return list(map(len, self.first))
        return [len(a) + len(b) for a, b in zip(self.first, self.second, strict=True)]

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: Iterable[int]) -> "Texts":
        """Return some of the texts."""
        rows = list(rows)
        second = self.second
        return Texts(
            [self.first[row] for row in rows],
            None if second is None else [second[row] for row in rows],
        )

    def to_list(self) -> list[Any]:
        """Return the texts, or the pairs as tuples."""
        if self.second is None:
            return self.first
        return list(zip(self.first, self.second, strict=True))

    def tokenize(
        self, tokenizer: TextTokenizer, config: TokenizingConfig
    ) -> TokenSequences:
        """Return the token ids of the texts."""
        return tokenizer(
            self.first,
            self.second,
            max_length=config.max_length,
            long_text=config.long_text,
            prompt=config.prompt,
        )


@dataclass(frozen=True)
class Sentences:
    """Sentences of words.

    Attributes
    ----------
    words : list of list of str
    """

    words: list[list[str]]

    @property
    def n_columns(self) -> int:
        """One, since there are no pairs of sentences."""
        return 1

    @property
    def lengths(self) -> list[int]:
        """Number of words of each sentence."""
        return list(map(len, self.words))

    @property
    def n_rows(self) -> int:
        """One per word."""
        return sum(self.lengths)

    @property
    def n_rows_each(self) -> np.ndarray:
        """Number of rows of each sentence: its words."""
        return np.array(self.lengths, dtype=np.int64)

    @property
    def contents(self) -> Iterable[Hashable]:
        """What distinguishes each sentence from the others."""
        return map(tuple, self.words)

    def owners(self) -> np.ndarray:
        """Return the sentence of each row of :attr:`n_rows`."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def n_characters(self) -> list[int]:
        """Number of characters of each sentence."""
        return [sum(map(len, words)) for words in self.words]

    def __len__(self) -> int:
        return len(self.words)

    def take(self, rows: Iterable[int]) -> "Sentences":
        """Return some of the sentences."""
        return Sentences([self.words[row] for row in rows])

    def to_list(self) -> list[Any]:
        """Return the sentences as lists of words."""
        return self.words

    def tokenize(
        self, tokenizer: TextTokenizer, config: TokenizingConfig
    ) -> TokenSequences:
        """Return the token ids of the sentences, none of which is truncated."""
        return tokenize_words(tokenizer, self.words, max_length=config.max_length)


Inputs = Texts | Sentences


def tokenize_in_chunks(
    tokenizer: TextTokenizer, inputs: Inputs, config: TokenizingConfig
) -> Iterator[TokenSequences]:
    """Yield the token ids of the samples in chunks of bounded size.

    The next chunk is tokenized while the caller uses the previous one.
    """
    chunks = list(
        split_greedily(
            range(len(inputs)),
            inputs.n_characters.__getitem__,
            max_size=_CHARACTERS_PER_CHUNK,
            max_items=SAMPLES_PER_CHUNK,
        )
    )
    if len(chunks) == 1:
        yield inputs.tokenize(tokenizer, config)
        return
    yield from prefetch(
        lambda rows: inputs.take(rows).tokenize(tokenizer, config), chunks
    )


def count_truncated(
    tokenizer: TextTokenizer, inputs: Inputs, config: TokenizingConfig
) -> int:
    """Return how many samples :func:`tokenize_in_chunks` would truncate."""
    if config.long_text == "window" and inputs.n_columns == 1:
        # No text is truncated, but the prompt may be too long.
        inputs.take([]).tokenize(tokenizer, config)
        return 0
    if config.long_text == "head_tail":
        # The same texts are truncated, but their ends need not be tokenized.
        config = replace(config, long_text="truncate")
    chunks = tokenize_in_chunks(tokenizer, inputs, config)
    return sum(len(sequences.truncated) for sequences in chunks)
