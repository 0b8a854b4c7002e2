"""The words of one text, pair or sentence, and the tokens that they become."""

from dataclasses import dataclass

import numpy as np

from sklearn_bert._engine.attribution.model import Sample
from sklearn_bert._engine.text.inputs import Inputs, Sentences, TokenizingConfig
from sklearn_bert._engine.text.placing import (
    PlacingTokenizer,
    find_words,
    words_of_tokens,
)
from sklearn_bert._engine.text.words import words_of_sentence


@dataclass(frozen=True)
class Words:
    """The words of one sample.

    Attributes
    ----------
    words : list of str
    columns : ndarray of shape (n_words,)
        The column of X of each word.
    spans : ndarray of shape (n_words, 2), or None
        Start and stop of each word in its text. None of a sentence.
    sample : Sample
    is_truncated : bool
    """

    words: list[str]
    columns: np.ndarray
    spans: np.ndarray | None
    sample: Sample
    is_truncated: bool


def read_words(
    inputs: Inputs, tokenizer: PlacingTokenizer, tokenizing: TokenizingConfig
) -> Words:
    """Find the words of a single sample, and tokenize it as for a prediction."""
    sequences = inputs.tokenize(tokenizer, tokenizing)
    if isinstance(inputs, Sentences):
        (words,) = inputs.words
        spans, columns = None, np.zeros(len(words), dtype=np.int64)
        of_tokens = words_of_sentence(tokenizer, words, sequences)
    else:
        texts = [inputs.first[0], *([] if inputs.second is None else inputs.second)]
        found = [find_words(tokenizer, text) for text in texts]
        words = [
            text[start:stop]
            for text, some in zip(texts, found, strict=True)
            for start, stop in some
        ]
        spans = np.array([span for some in found for span in some]).reshape(-1, 2)
        columns = np.repeat(np.arange(len(texts)), list(map(len, found)))
        of_tokens = words_of_tokens(sequences, inputs, found, tokenizing.prompt)
    sample = Sample.sort(sequences, of_tokens)
    return Words(words, columns, spans, sample, bool(sequences.truncated))
