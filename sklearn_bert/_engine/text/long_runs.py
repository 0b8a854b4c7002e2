"""Shortening of huge words and huge gaps, which change no token of a text.

A tokenizer takes a microsecond and a hundred bytes per character, although WordPiece
maps every word of more than a hundred characters to the unknown token, and gaps between
words to nothing. Which characters make words and gaps is asked of the tokenizer itself.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import islice

from tokenizers import Tokenizer, normalizers
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer

# Shorter runs are left alone.
_LONG = 1000
# These act on each character alone, except for the order of combining marks.
_NORMALIZERS = (normalizers.BertNormalizer, normalizers.Lowercase)
# What a character can be: without a trace, a gap, a part of a word, anything else.
_NOTHING, _GAP, _PART, _OTHER = range(4)

_Shorten = Callable[[re.Match[str]], str]


class RunShortener:
    """Shortens runs of a thousand characters or more that are a word or a gap.

    The tokens of the text stay the same. Texts of tokenizers other than BERT's are
    returned unchanged, since their tokens may depend on whole words.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        model = tokenizer.model
        self._normalizer = tokenizer.normalizer
        self._words = tokenizer.pre_tokenizer
        self._kinds: dict[str, int] = {}
        self._is_able = (
            isinstance(model, WordPiece)
            and model.max_input_chars_per_word < _LONG
            and isinstance(self._words, BertPreTokenizer)
            and all(isinstance(x, _NORMALIZERS) for x in _steps(self._normalizer))
        )
        self._longest_word = model.max_input_chars_per_word if self._is_able else 0

    def __call__(self, text: str) -> str:
        """Return a text with the same tokens and without huge words and gaps."""
        if not self._is_able:
            return text
        kinds: list[list[str]] = [[], [], [], []]
        for character in sorted(set(text)):
            kinds[self._kind(character)].append(character)
        nothing, gaps, parts, _ = kinds
        text = _runs([*nothing, *parts]).sub(self._first_parts(parts), text)
        if any(map(unicodedata.combining, parts)):
            # Their order may depend on characters that leave no trace.
            return text
        return _runs([*nothing, *gaps]).sub(_first_gap(gaps), text)

    def _first_parts(self, parts: list[str]) -> _Shorten:
        """Return a function that shortens a word to what is just too long."""
        are_parts = frozenset(parts)

        def shorten(run: re.Match[str]) -> str:
            found = (one for one in run[0] if one in are_parts)
            start = "".join(islice(found, self._longest_word + 1))
            return start if len(start) > self._longest_word else run[0]

        return shorten

    def _kind(self, character: str) -> int:
        if character not in self._kinds:
            self._kinds[character] = self._find_kind(character)
        return self._kinds[character]

    def _find_kind(self, character: str) -> int:
        around = f"a{character}a"
        if self._normalizer is not None:
            around = self._normalizer.normalize_str(around)
        words = [word for word, _ in self._words.pre_tokenize_str(around)]
        if words == ["a", "a"]:
            return _GAP
        if words == ["aa"]:
            return _NOTHING
        is_part = len(words) == 1 and words[0][0] == words[0][-1] == "a"
        return _PART if is_part else _OTHER


def _steps(normalizer: normalizers.Normalizer | None) -> list[normalizers.Normalizer]:
    if normalizer is None:
        return []
    if isinstance(normalizer, normalizers.Sequence):
        return [normalizer[k] for k in range(len(normalizer))]
    return [normalizer]


def _runs(characters: list[str]) -> re.Pattern[str]:
    """Return the pattern of long runs, each of which begins where it can."""
    if not characters:
        return re.compile("(?!)")
    some = f"[{re.escape(''.join(characters))}]"
    return re.compile(f"(?<!{some}){some}{{{_LONG},}}")


def _first_gap(gaps: list[str]) -> _Shorten:
    """Return a function that replaces a gap by its first character that is one."""
    is_gap = re.compile(f"[{re.escape(''.join(gaps))}]") if gaps else re.compile("(?!)")

    def shorten(run: re.Match[str]) -> str:
        found = is_gap.search(run[0])
        return "" if found is None else found[0]

    return shorten
