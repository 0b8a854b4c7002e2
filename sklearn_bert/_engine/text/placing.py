"""Which word of a text each of its tokens was read from."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Self

from sklearn_bert._engine.runtime.fork_safety import tokenizer_threads
from sklearn_bert._engine.text.inputs import Texts
from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._engine.text.tokenizer import TextTokenizer, panics_are_errors

Span = tuple[int, int]

# Of tokens that belong to no word: special tokens and those of a prompt.
NO_WORD = -1
_WORD = re.compile(r"\S+")
# Thai to Myanmar, Khmer, kana and ideographs: scripts without spaces between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)


class PlacedId(int):
    """A token id that knows its place.

    Attributes
    ----------
    span : tuple of int
        Start and stop of the characters that it was read from.
    """

    span: Span

    def __new__(cls, id_: int, span: Span) -> Self:
        placed = super().__new__(cls, id_)
        placed.span = span
        return placed


class PlacingTokenizer(TextTokenizer):
    """A tokenizer that gives the ids of the content of texts as :class:`PlacedId`.

    Truncation, windows and special tokens are those of the tokenizer that it is made
    of. Texts are always read as a whole.

    Parameters
    ----------
    tokenizer : TextTokenizer
    """

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self.__dict__.update(vars(tokenizer))

    def split(self, texts: Sequence[str]) -> list[list[int]]:
        """Return all token ids of each text, without special tokens."""
        with tokenizer_threads(), panics_are_errors():
            encodings = self._tokenizer.encode_batch(
                list(texts), add_special_tokens=False
            )
        return [
            list(map(PlacedId, self._without_controls(one.ids), one.offsets))
            for one in encodings
        ]

    def _ids(self, texts: Sequence[str], wanted: int | None) -> list[list[int]]:
        return self.split(texts)


def find_words(tokenizer: PlacingTokenizer, text: str) -> list[Span]:
    """Return the start and stop of each word of a text.

    Words are what white space separates, with their punctuation. In scripts without
    spaces they are tokens.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    if not _UNSPACED.search(text):
        return words
    (ids,) = tokenizer.split([text])
    starts = {id_.span[0] for id_ in ids if isinstance(id_, PlacedId)}
    cuts = sorted(
        at for at in starts if _UNSPACED.search(text[max(at - 1, 0) : at + 1])
    )
    return [part for start, stop in words for part in _cut(start, stop, cuts)]


def _cut(start: int, stop: int, cuts: list[int]) -> list[Span]:
    inside = cuts[bisect_right(cuts, start) : bisect_left(cuts, stop)]
    return list(pairwise([start, *inside, stop]))


def words_of_tokens(
    sequences: TokenSequences, texts: Texts, words: Sequence[list[Span]], prompt: str
) -> list[list[int]]:
    """Return the word of each token of the sequences of a text, or of a pair.

    Parameters
    ----------
    sequences : TokenSequences
        Of one sample, as a :class:`PlacingTokenizer` gives them.
    texts : Texts
        The sample.
    words : sequence of list of tuple of int
        The words of each text of the sample.
    prompt : str
        What the first text of the sample was read with.

    Returns
    -------
    list of list of int
        For each token the number of its word, counted through both texts of a pair.
    """
    columns = [prompt + texts.first[0]]
    if texts.second is not None:
        columns.append(texts.second[0])
    n_before = [0, len(words[0])]
    found: list[list[int]] = []
    for row, ids in enumerate(sequences.ids):
        second = sequences.second_starts
        n_first = len(ids) if second is None else second[row]
        found.append([])
        for place, id_ in enumerate(ids):
            column = int(place >= n_first)
            n_prompt = 0 if column else len(prompt)
            at = _first_character(id_, columns[column]) - n_prompt
            word = _word_at(at, words[column])
            found[-1].append(word if word == NO_WORD else n_before[column] + word)
    return found


def _first_character(id_: int, text: str) -> int:
    """Return where the first character of a token is; -1 if it has none."""
    if not isinstance(id_, PlacedId):
        return -1
    start, stop = id_.span
    # Some tokens include the space before a word, and some have no character.
    inside = text[start : max(stop, start + 1)]
    n_spaces = len(inside) - len(inside.lstrip())
    return start + n_spaces if n_spaces < len(inside) else -1


def _word_at(place: int, words: list[Span]) -> int:
    """Return the word that has a character."""
    number = bisect_right(words, place, key=lambda word: word[0]) - 1
    return number if number >= 0 and place < words[number][1] else NO_WORD
