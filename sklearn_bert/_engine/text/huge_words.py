"""The first tokens of a huge word, from the front of it alone.

BPE and unigram models choose the tokens of a word together, so that a word of a million
letters takes seconds. Its first tokens can be found without the rest:

If the tokens of a word have a boundary at some place, those before it are the tokens of
the front up to this place. With BPE no merge crosses the boundary, so the merges in
front of it do not depend on what follows; the best path of a unigram model consists of
best paths. No token is longer than the longest of the vocabulary, so there is a
boundary among that many places in a row. What the fronts up to all of these places have
in common is therefore what the word begins with, wherever the boundary is.
"""

import json
from itertools import takewhile
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import BPE, Unigram

# Shorter texts are tokenized as a whole, in a tenth of a second.
SHORTEST = 100_000
# The longest token; more fronts would take as long as the whole word.
_MOST_PLACES = 256
# A pre-tokenizer may see the end of a run of spaces one character later, in bytes.
_MARGIN = 4
# How many characters are searched for a place that normalizers do not look across.
_MOST_BACK = 1000
# Letters that never combine with their neighbors, not even in Unicode's normal forms.
_PLAIN = (
    *(range(ord(first), ord(last) + 1) for first, last in ("09", "AZ", "az")),
    range(0x0400, 0x0482),
    range(0x048A, 0x0530),
    range(0x3041, 0x3097),
    range(0x30A1, 0x30FB),
    range(0x4E00, 0xA000),
)
# Normalizers that change each character alone, or together with those that combine.
_LOCAL = {"Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Precompiled", "Prepend"}
_LOCAL |= {"Strip", "StripAccents"}
_SPACES = {"Regex": " {2,}"}


class HugeWords:
    """Finds the first tokens of texts that begin with a huge word, or end in one.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Without added tokens that it finds in texts.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        content = json.loads(tokenizer.to_str())
        self._model = tokenizer.model
        self._words = tokenizer.pre_tokenizer
        self._normalizer = tokenizer.normalizer
        vocabulary = tokenizer.get_vocab(with_added_tokens=False)
        self._n_places = max(map(len, vocabulary), default=0)
        self.is_able = (
            self._n_places <= _MOST_PLACES
            and _chooses_by_place(self._model)
            and _makes_runs(content["pre_tokenizer"])
            and _is_local(content["normalizer"])
        )

    def first_ids(self, text: str, size: int, wanted: int) -> list[int]:
        """Return tokens that a text certainly begins with.

        Parameters
        ----------
        text : str
        size : int
            How many characters of the text to look at, fewer than it has.
        wanted : int
            How many tokens are enough.

        Returns
        -------
        list of int
        """
        front = text[: self._last_plain_place(text, size)]
        if self._normalizer is not None:
            front = self._normalizer.normalize_str(front)
        *words, (last, _) = self._words.pre_tokenize_str(front) or [("", None)]
        ids: list[int] = []
        for word, _ in words:
            if len(ids) >= wanted:
                return ids
            ids += [token.id for token in self._model.tokenize(word)]
        return ids + self._first_of_word(last[:-_MARGIN], wanted - len(ids))

    def _last_plain_place(self, text: str, size: int) -> int:
        """Return where to cut, so that normalizers do not look across; or 0."""
        if self._normalizer is None:
            return size
        places = range(size, max(size - _MOST_BACK, 1), -1)
        return next((k for k in places if _is_plain(text[k - 1 : k + 1])), 0)

    def _first_of_word(self, word: str, wanted: int) -> list[int]:
        """Return tokens that a word begins with, of which there is more."""
        tokens = self._model.tokenize(word)
        if wanted <= 0 or len(tokens) <= wanted:
            return []
        # A few tokens more than wanted, where fronts may differ.
        start = min(tokens[wanted - 1].offsets[1] + self._n_places, len(word))
        stop = min(start + self._n_places, len(word))
        if stop - self._n_places <= self._n_places:
            return []
        common = _common(
            self._tokens(word[:place]) for place in range(stop - self._n_places, stop)
        )
        return [id_ for id_, _ in common]

    def _tokens(self, word: str) -> list[tuple[int, tuple[int, int]]]:
        """Return ids and places of all but the last token, which may go on."""
        return [(x.id, x.offsets) for x in self._model.tokenize(word)[:-1]]


def _common(sequences: Any) -> list[tuple[int, tuple[int, int]]]:
    """Return what all sequences begin with."""
    found = next(sequences)
    for other in sequences:
        pairs = zip(found, other, strict=False)
        found = [x for x, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
    return found


def _is_plain(characters: str) -> bool:
    return all(any(ord(c) in some for some in _PLAIN) for c in characters)


def _chooses_by_place(model: Any) -> bool:
    """Tell whether a model gives a front of a word the tokens that it has alone."""
    if isinstance(model, BPE):
        # With a suffix, the last characters of a front would be other ones.
        affixes = (model.end_of_word_suffix, model.continuing_subword_prefix)
        return not model.dropout and not any(affixes)
    return isinstance(model, Unigram)


def _makes_runs(content: dict[str, Any] | None) -> bool:
    """Tell whether words are found from left to right, as runs of characters."""
    steps = _steps(content, "pretokenizers")
    kinds = [step["type"] for step in steps]
    return kinds in (["ByteLevel"], ["Metaspace"], ["WhitespaceSplit", "Metaspace"])


def _is_local(content: dict[str, Any] | None) -> bool:
    """Tell whether normalizers do not look across two plain letters."""
    return all(
        step["type"] in _LOCAL or (step["type"] == "Replace" and _is_mark(step))
        for step in _steps(content, "normalizers")
    )


def _is_mark(step: dict[str, Any]) -> bool:
    """Tell whether a replacement is one of spaces or of marks."""
    text = step["pattern"].get("String")
    if text is None:
        return step["pattern"] == _SPACES
    return bool(text) and not any(map(str.isalnum, text))


def _steps(content: dict[str, Any] | None, name: str) -> list[dict[str, Any]]:
    if content is None:
        return []
    if content["type"] == "Sequence":
        return [step for one in content[name] for step in _steps(one, name)]
    return [content]
