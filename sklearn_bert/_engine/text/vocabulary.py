"""Learning of a WordPiece vocabulary.

The trainer of the tokenizers library is not deterministic: it numbers the pieces of
one character in the order of a hash table, and breaks ties by these numbers. Therefore
these pieces are numbered here.
"""

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordPieceTrainer

from sklearn_bert._engine.runtime.fork_safety import tokenizer_threads
from sklearn_bert._engine.text.corpus import chunks
from sklearn_bert._engine.text.tokenizer import TextTokenizer

# In BERT's order.
PADDING, UNKNOWN, CLS, SEP, MASK = CONTROLS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
)
_INSIDE = "##"
_WORDS = pre_tokenizers.BertPreTokenizer()
# WordPiece maps every word longer than this many characters to [UNK].
_LONGEST_WORD = WordPiece().max_input_chars_per_word
# Candidates for such words: BERT splits at spaces, punctuation and Chinese characters,
# and its normalizer turns one character (of Hangul) into up to three.
_MAYBE_LONG = re.compile(
    rf"[^ \t\n\r{re.escape(string.punctuation)}\u3400-\u4dbf\u4e00-\u9fff]"
    rf"{{{_LONGEST_WORD // 3},}}"
)
# Maximum number of pieces of one character, or half of the vocabulary if it is larger.
_PLACES_OF_CHARACTERS = 2000


def learn_vocabulary(
    texts: Iterable[str], vocab_size: int, *, lowercase: bool
) -> TextTokenizer:
    """Learn a WordPiece vocabulary.

    Words that are too long for WordPiece are ignored, since no text would ever be split
    into their pieces.

    Parameters
    ----------
    texts : iterable of str
        Read twice.
    vocab_size : int
        Maximum number of tokens, including control tokens.
    lowercase : bool
        Whether case and accents are removed.

    Returns
    -------
    TextTokenizer
        It does not depend on the order of the texts.
    """
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    alone = _frequent_characters(
        _without_long_words(texts, normalizer), vocab_size, normalizer
    )
    characters = list(alone)
    inside = [_INSIDE + one for one in characters if not alone[one]]
    fixed = [*CONTROLS, *characters, *inside]
    trainer = WordPieceTrainer(
        vocab_size=vocab_size,
        # These get the first ids, in this order.
        special_tokens=fixed,
        initial_alphabet=characters,
        limit_alphabet=len(characters),
        continuing_subword_prefix=_INSIDE,
        show_progress=False,
    )
    learning = Tokenizer(WordPiece(unk_token=UNKNOWN))
    learning.normalizer = normalizer
    learning.pre_tokenizer = _WORDS
    known = chunks(_without_long_words(texts, normalizer))
    with tokenizer_threads():
        learning.train_from_iterator(known, trainer)
    return make_wordpiece_tokenizer(learning.get_vocab(), lowercase=lowercase)


def make_wordpiece_tokenizer(
    vocabulary: dict[str, int], *, lowercase: bool
) -> TextTokenizer:
    """Return a BERT tokenizer with the given vocabulary."""
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=_INSIDE)
    tokenizer.add_special_tokens(list(CONTROLS))
    tokenizer.post_processor = TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(name, vocabulary[name]) for name in (CLS, SEP)],
    )
    return TextTokenizer(tokenizer, has_segments=True)


def _without_long_words(
    texts: Iterable[str], normalizer: normalizers.Normalizer
) -> Iterator[str]:
    """Yield texts without the words that are too long for WordPiece.

    The trainer takes time quadratic in the length of a word.
    """

    def shorten(run: re.Match[str]) -> str:
        words = _WORDS.pre_tokenize_str(normalizer.normalize_str(run[0]))
        kept = [word for word, _ in words if len(word) <= _LONGEST_WORD]
        return run[0] if len(kept) == len(words) else " ".join(kept)

    for text in texts:
        yield _MAYBE_LONG.sub(shorten, text)


def _frequent_characters(
    texts: Iterable[str], vocab_size: int, normalizer: normalizers.Normalizer
) -> dict[str, bool]:
    """Return the sorted characters of the vocabulary.

    The values tell whether a character is always a separate word.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    normal: Counter[str] = Counter()
    for character, count in counts.items():
        for one in normalizer.normalize_str(character):
            if not one.isspace():
                normal[one] += count
    ranked = sorted(normal, key=lambda one: (-normal[one], one))
    room = max(vocab_size - len(CONTROLS), 2)
    room = min(room, max(room // 2, _PLACES_OF_CHARACTERS))
    # Most characters need two pieces: at the beginning of a word and inside.
    alone = {one: _stands_alone(one, normalizer) for one in ranked[:room]}
    places = np.cumsum([2 - is_alone for is_alone in alone.values()])
    n_kept = np.searchsorted(places, room, side="right")
    return {one: alone[one] for one in sorted(ranked[:n_kept])}


def _stands_alone(character: str, normalizer: normalizers.Normalizer) -> bool:
    """Tell whether a character is always a separate word: punctuation or Chinese."""
    words = _WORDS.pre_tokenize_str(normalizer.normalize_str(f"a{character}a"))
    return len(words) == 3
