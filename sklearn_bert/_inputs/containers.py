"""What an estimator reads once X is checked, and how the engine reads it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from sklearn_bert._engine.encoding.encode import (
    Encoded,
    EncodingConfig,
    Head,
    encode,
    encode_words,
)
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.text.tokenizer import TextTokenizer, TokenSequences
from sklearn_bert._engine.text.words import tokenize_words


class Inputs(Protocol):
    """The samples of one call.

    Attributes
    ----------
    n_columns : int
    """

    @property
    def n_columns(self) -> int: ...

    def __len__(self) -> int: ...

    def take(self, rows: Iterable[int]) -> "Inputs":
        """Return some of the samples."""
        ...

    def to_list(self) -> list[Any]:
        """Return the samples as a plain X."""
        ...

    def tokenize(
        self, tokenizer: TextTokenizer, config: EncodingConfig
    ) -> TokenSequences:
        """Return the samples as token ids."""
        ...

    def encode(
        self, encoder: Encoder, config: EncodingConfig, head: Head | None = None
    ) -> Encoded:
        """Return the samples as features, or as what a head makes of them."""
        ...


@dataclass(frozen=True)
class Texts:
    """One text, or one pair of texts, per sample.

    Attributes
    ----------
    first : list of str
    second : list of str or None
        The second halves of the pairs.
    """

    first: list[str]
    second: list[str] | None = None

    @property
    def n_columns(self) -> int:
        """1 for texts, 2 for pairs."""
        return 1 if self.second is None else 2

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
        self, tokenizer: TextTokenizer, config: EncodingConfig
    ) -> TokenSequences:
        """Return the texts as token ids, cut as asked for."""
        return tokenizer(
            self.first,
            self.second,
            max_length=config.max_length,
            long_text=config.long_text,
        )

    def encode(
        self, encoder: Encoder, config: EncodingConfig, head: Head | None = None
    ) -> Encoded:
        """Return a row for each text: of features, or of what a head makes of them."""
        return encode(encoder, self.first, self.second, config, head)


@dataclass(frozen=True)
class Sentences:
    """Words per sample.

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
        return [len(words) for words in self.words]

    def __len__(self) -> int:
        return len(self.words)

    def take(self, rows: Iterable[int]) -> "Sentences":
        """Return some of the sentences."""
        return Sentences([self.words[row] for row in rows])

    def to_list(self) -> list[Any]:
        """Return the sentences as lists of words."""
        return self.words

    def tokenize(
        self, tokenizer: TextTokenizer, config: EncodingConfig
    ) -> TokenSequences:
        """Return the sentences as token ids; none is cut."""
        return tokenize_words(tokenizer, self.words, max_length=config.max_length)

    def encode(
        self, encoder: Encoder, config: EncodingConfig, head: Head | None = None
    ) -> Encoded:
        """Return a row for each word: of features, or of what a head makes of them."""
        return encode_words(encoder, self.words, config, head)
