"""Sentences of words to token ids: every word keeps a token that stands for it."""

from collections.abc import Sequence

import numpy as np

from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.text.truncation import window_spans


def tokenize_words(
    tokenizer: TextTokenizer, sentences: Sequence[Sequence[str]], *, max_length: int
) -> TokenSequences:
    """Tokenise sentences that are split into words.

    The first token of a word stands for it, and the unknown token for a word that the
    tokenizer drops, such as an empty one. A sentence that is too long is cut into
    overlapping windows, and each word stands in the one where it has the widest
    context. Windows in which no word stands are left out.

    Parameters
    ----------
    tokenizer : TextTokenizer
    sentences : sequence of sequence of str
    max_length : int
        Tokens per sequence, special tokens included.

    Returns
    -------
    TokenSequences
        With ``words``. No sentence is cut.
    """
    before, after = tokenizer.around_text
    room = max_length - len(before) - len(after)
    known = _known_words(tokenizer, sentences)
    all_ids: list[list[int]] = []
    all_words: list[list[int]] = []
    texts: list[int] = []
    for text, words in enumerate(sentences):
        ids: list[int] = []
        firsts: list[int] = []
        for word in _as_in_text(words):
            firsts.append(len(ids))
            ids += known[word]
        for start, stop, own in _windows(len(ids), firsts, room):
            # Without special tokens an empty sentence would leave nothing to read.
            sequence = [*before, *ids[start:stop], *after]
            all_ids.append(sequence or tokenizer.word_ids([""])[0])
            all_words.append([len(before) + first - start for first in own])
            texts.append(text)
    return TokenSequences(all_ids, None, texts, all_words)


def _known_words(
    tokenizer: TextTokenizer, sentences: Sequence[Sequence[str]]
) -> dict[str, list[int]]:
    """Return the ids of every word; words that recur are tokenised once."""
    words = list(dict.fromkeys(x for words in sentences for x in _as_in_text(words)))
    return dict(zip(words, tokenizer.word_ids(words), strict=True)) if words else {}


def _as_in_text(words: Sequence[str]) -> list[str]:
    """Put a space before all words but the first, which some tokenizers mind."""
    return [*words[:1], *(f" {word}" for word in words[1:])]


def _windows(
    n_tokens: int, firsts: list[int], room: int
) -> list[tuple[int, int, list[int]]]:
    """Return start, stop and the words' first tokens of each window."""
    if n_tokens <= room:
        return [(0, n_tokens, firsts)]
    spans = window_spans(n_tokens, room)
    places = np.array(firsts)
    contexts = np.stack([_context(places, span, n_tokens) for span in spans])
    best = contexts.argmax(axis=0)
    owned = [places[best == window].tolist() for window in range(len(spans))]
    return [(*span, own) for span, own in zip(spans, owned, strict=True) if own]


def _context(places: np.ndarray, span: tuple[int, int], n_tokens: int) -> np.ndarray:
    """Return how far tokens are from the nearest cut of a window; -1 outside of it."""
    start, stop = span
    # Where the sentence itself begins or ends, nothing is cut off.
    left = places - start if start > 0 else np.full_like(places, n_tokens)
    right = stop - 1 - places if stop < n_tokens else np.full_like(places, n_tokens)
    is_inside = (places >= start) & (places < stop)
    return np.where(is_inside, np.minimum(left, right), -1)
