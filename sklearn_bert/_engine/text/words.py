"""Tokenization of sentences that are split into words."""

from collections.abc import Sequence

import numpy as np

from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.text.truncation import window_spans


def tokenize_words(
    tokenizer: TextTokenizer, sentences: Sequence[Sequence[str]], *, max_length: int
) -> TokenSequences:
    """Tokenize sentences that are split into words.

    Each word is represented by its first token, or by the unknown token if the
    tokenizer drops it, as for an empty word. A sentence that is too long is split into
    overlapping windows, and each word belongs to the window with the most context.
    Windows without words are left out.

    Parameters
    ----------
    tokenizer : TextTokenizer
    sentences : sequence of sequence of str
    max_length : int
        Maximum number of tokens per sequence, including special tokens.

    Returns
    -------
    TokenSequences
        With ``word_positions``. No sentence is truncated.
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
            # Without special tokens an empty sentence would have no token.
            sequence = [*before, *ids[start:stop], *after]
            all_ids.append(sequence or tokenizer.word_ids([""])[0])
            all_words.append([len(before) + first - start for first in own])
            texts.append(text)
    return TokenSequences(all_ids, None, texts, all_words)


def _known_words(
    tokenizer: TextTokenizer, sentences: Sequence[Sequence[str]]
) -> dict[str, list[int]]:
    """Return the ids of every word; repeated words are tokenized once."""
    words = list(dict.fromkeys(x for words in sentences for x in _as_in_text(words)))
    return dict(zip(words, tokenizer.word_ids(words), strict=True)) if words else {}


def _as_in_text(words: Sequence[str]) -> list[str]:
    """Put a space before all words but the first, which matters to some tokenizers."""
    return [*words[:1], *(f" {word}" for word in words[1:])]


def _windows(
    n_tokens: int, firsts: list[int], room: int
) -> list[tuple[int, int, list[int]]]:
    """Return start, stop and the first tokens of the words of each window."""
    if n_tokens <= room:
        return [(0, n_tokens, firsts)]
    spans = window_spans(n_tokens, room)
    places = np.array(firsts)
    contexts = np.stack([_context(places, span, n_tokens) for span in spans])
    best = contexts.argmax(axis=0)
    owned = [places[best == window].tolist() for window in range(len(spans))]
    return [(*span, own) for span, own in zip(spans, owned, strict=True) if own]


def _context(places: np.ndarray, span: tuple[int, int], n_tokens: int) -> np.ndarray:
    """Return the distance to the nearest boundary of a window; -1 outside of it."""
    start, stop = span
    # The beginning and the end of the sentence are not boundaries.
    left = places - start if start > 0 else np.full_like(places, n_tokens)
    right = stop - 1 - places if stop < n_tokens else np.full_like(places, n_tokens)
    is_inside = (places >= start) & (places < stop)
    return np.where(is_inside, np.minimum(left, right), -1)


def words_of_sentence(
    tokenizer: TextTokenizer, words: Sequence[str], sequences: TokenSequences
) -> list[list[int]]:
    """Return the word of each token of the windows of a sentence.

    Parameters
    ----------
    tokenizer : TextTokenizer
    words : sequence of str
        The sentence.
    sequences : TokenSequences
        The output of :func:`tokenize_words` for this sentence alone.

    Returns
    -------
    list of list of int
        For each token the number of its word; -1 for special tokens.
    """
    assert sequences.word_positions is not None
    n_tokens = list(map(len, tokenizer.word_ids(_as_in_text(words)))) if words else []
    owners = np.repeat(np.arange(len(words)), n_tokens).tolist()
    firsts = [0, *np.cumsum(n_tokens).tolist()]
    before, after = tokenizer.around_text
    found, n_owned = [], 0
    for ids, own in zip(sequences.ids, sequences.word_positions, strict=True):
        # The first word that a window owns tells where the window starts.
        start = firsts[n_owned] - (own[0] - len(before)) if own else 0
        inside = owners[start : start + len(ids) - len(before) - len(after)]
        n_after = len(ids) - len(before) - len(inside)
        found.append([-1] * len(before) + inside + [-1] * n_after)
        n_owned += len(own)
    return found
