"""Huge words and gaps are shortened without a change of the tokens."""

import random

import pytest
from tokenizers import Tokenizer, normalizers
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer, WhitespaceSplit

from sklearn_bert._engine.text.long_runs import RunShortener

LETTERS = "abcdefgé한"
VOCABULARY = {
    x: k for k, x in enumerate(["[UNK]", *LETTERS, *(f"##{x}" for x in "ab")])
}
NORMALIZERS = {
    "uncased": normalizers.BertNormalizer(lowercase=True),
    "cased": normalizers.BertNormalizer(lowercase=False),
    "dirty": normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=False, strip_accents=True
    ),
    "lowercase": normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.BertNormalizer(lowercase=False)]
    ),
    "none": None,
}


def make_tokenizer(normalizer, words=None):
    tokenizer = Tokenizer(WordPiece(VOCABULARY, unk_token="[UNK]"))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = words or BertPreTokenizer()
    return tokenizer


# Letters, marks, invisible characters, spaces, punctuation, and one that is reordered.
CHARACTERS = "aé한ж中.😀_\u0301\u0316\u200d\0\ufffd \n\u00a0\u2003\x0b\x1f\u302e\u1680"


def make_text(seed):
    """Return runs of several lengths, of one character or of some."""
    generator = random.Random(seed)
    runs = [
        generator.choices(
            generator.sample(CHARACTERS, generator.randint(1, 3)),
            k=generator.choice([1, 3, 90, 101, 999, 1001, 2500]),
        )
        for _ in range(12)
    ]
    return "".join(x for run in runs for x in run)


@pytest.mark.parametrize("name", NORMALIZERS)
def test_no_token_changes(name):
    tokenizer = make_tokenizer(NORMALIZERS[name])
    shorten = RunShortener(tokenizer)
    n_shortened = 0
    for seed in range(60):
        text = make_text(seed)
        short = shorten(text)
        assert tokenizer.encode(short).ids == tokenizer.encode(text).ids, seed
        n_shortened += len(short) < len(text)
    assert n_shortened > 30


@pytest.mark.parametrize("one", ["ж", "é", "\u0301", "😀", " ", "\0", "한"])
def test_a_run_of_one_character_becomes_short(one):
    shorten = RunShortener(make_tokenizer(NORMALIZERS["uncased"]))
    assert len(shorten(f"a {one * 50_000} a")) < 200


def test_a_word_that_is_known_keeps_its_length():
    shorten = RunShortener(make_tokenizer(NORMALIZERS["uncased"]))
    text = "ab" * 50 + "\u0301" * 5000
    assert shorten(text).startswith("ab" * 50)
    text = "\u200d".join("ab" * 50) * 9
    assert shorten(text) == "ab" * 50 + "a"


def test_other_pre_tokenizers_get_the_whole_text():
    text = "a" * 5000
    shorten = RunShortener(make_tokenizer(None, WhitespaceSplit()))
    assert shorten(text) == text
