"""A vocabulary of word pieces, learned from texts.

The pieces are those of the tokenizers library's trainer, whose own result differs from
run to run: it numbers the pieces of one character in the order of a hash table, and
breaks ties by these numbers. So they are numbered here, before it begins.
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
# WordPiece has one token, [UNK], for every word longer than this many characters.
_LONGEST_WORD = WordPiece().max_input_chars_per_word
# What may be such a word: BERT splits at spaces, punctuation and Chinese characters,
# and its normalizer makes up to three characters (of Hangul) from one.
_MAYBE_LONG = re.compile(
    rf"[^ \t\n\r{re.escape(string.punctuation)}\u3400-\u4dbf\u4e00-\u9fff]"
    rf"{{{_LONGEST_WORD // 3},}}"
)
# Characters may take so many places, or half of the vocabulary if that is more.
_PLACES_OF_CHARACTERS = 2000


def learn_vocabulary(
    texts: Iterable[str], vocab_size: int, *, lowercase: bool
) -> TextTokenizer:
    """Learn word pieces as BERT's.

    Words that are too long for WordPiece are left out, since no text would ever be
    split into their pieces.

    Parameters
    ----------
    texts : iterable of str
        Read twice.
    vocab_size : int
        Most tokens, control tokens included. Few texts may give fewer.
    lowercase : bool
        Whether case and accents are removed.

    Returns
    -------
    TextTokenizer
        The same for the same texts, however often they are given.
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
        # These are numbered first, in the order given.
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
    """Return BERT's tokenizer with a vocabulary of its own."""
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

    The trainer would need time quadratic in the length of such a word.
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
    """Return the characters that get pieces of their own, in their own order.

    And of each, whether it is always a word by itself.
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
    # Most take two places: at the beginning of a word and inside.
    alone = {one: _stands_alone(one, normalizer) for one in ranked[:room]}
    places = np.cumsum([2 - is_alone for is_alone in alone.values()])
    n_kept = np.searchsorted(places, room, side="right")
    return {one: alone[one] for one in sorted(ranked[:n_kept])}


def _stands_alone(character: str, normalizer: normalizers.Normalizer) -> bool:
    """Tell whether a character is always a word by itself: punctuation, or Chinese."""
    words = _WORDS.pre_tokenize_str(normalizer.normalize_str(f"a{character}a"))
    return len(words) == 3
