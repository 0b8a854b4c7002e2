"""What a huge word begins with is what all of it would begin with."""

import random
import time

import pytest
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE, Unigram, WordLevel, WordPiece

from sklearn_bert._engine.text.huge_words import SHORTEST, HugeWords
from sklearn_bert._engine.text.tokenizer import TextTokenizer

LETTERS = ("ab", "abc", "aé字")


def make_bpe(rng, letters):
    """A tokenizer on bytes with random merges, which depend on each other."""
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    used = [*dict.fromkeys(words.pre_tokenize_str(letters)[0][0])]
    merges = []
    for _ in range(rng.randint(3, 25)):
        pair = rng.choice(used), rng.choice(used)
        if len("".join(pair)) < 10 and pair not in merges:
            merges.append(pair)
            used += ["".join(pair)] * ("".join(pair) not in used)
    tokens += [token for token in used if token not in tokens]
    tokenizer = Tokenizer(BPE({x: k for k, x in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = words
    return tokenizer


def make_unigram(rng, letters):
    """A tokenizer with random pieces, and some letters without one."""
    pieces = ["<unk>", "▁", *(x for x in letters if rng.random() < 0.8)]
    for _ in range(rng.randint(3, 25)):
        pieces.append("".join(rng.choices(letters, k=rng.randint(2, 6))))
    scores = [(x, -rng.choice([1.0, 2.0, 3.0])) for x in dict.fromkeys(pieces)]
    tokenizer = Tokenizer(Unigram(scores, 0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.normalizer = rng.choice([None, normalizers.NFKC()])
    return tokenizer


def make_small_unigram(rng, letters):
    """A tokenizer that knows both letters: unknown ones would all be one token."""
    tokenizer = Tokenizer(
        Unigram([("<unk>", 0), ("▁", -1), ("a", -2), ("b", -2.5), ("abba", -4)], 0)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def make_text(rng, letters):
    """A text of one or two words, repetitive or not."""
    unit = "".join(rng.choices(letters, k=rng.choice([1, 2, 3, 7, 50, 400])))
    start = rng.choice(["", "ab ", "  "])
    return start + unit * (400 // len(unit) + 1)


@pytest.mark.parametrize("make", [make_bpe, make_unigram])
def test_all_of_the_text_begins_with_the_same_tokens(make):
    rng = random.Random(0)
    n_enough = 0
    for _ in range(400):
        letters = rng.choice(LETTERS)
        tokenizer = make(rng, letters)
        text = make_text(rng, letters)
        # Whatever follows.
        whole = text + "".join(rng.choices(letters + " ", k=rng.randint(1, 20)))
        wanted = rng.randint(1, 60)
        found = HugeWords(tokenizer).first_ids(whole, rng.randint(60, 350), wanted)
        assert found == tokenizer.encode(whole).ids[: len(found)]
        n_enough += len(found) >= wanted
    # It is found in most cases, not only by looking at all of the text.
    assert n_enough > 200


def change(**parts):
    tokenizer = make_bpe(random.Random(0), "ab")
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    return tokenizer


@pytest.mark.parametrize(
    "tokenizer",
    [
        change(model=WordPiece({"a": 0}, unk_token="a")),
        change(model=WordLevel({"a": 0}, unk_token="a")),
        change(model=BPE({"a": 0}, [], end_of_word_suffix="</w>")),
        change(model=BPE({"a": 0}, [], dropout=0.5)),
        change(model=BPE({"a": 0, "b" * 300: 1}, [])),
        change(pre_tokenizer=pre_tokenizers.Split("b", "isolated")),
        change(pre_tokenizer=pre_tokenizers.Punctuation()),
        change(normalizer=normalizers.Replace("ab", "c")),
    ],
    ids=[
        "WordPiece",
        "WordLevel",
        "suffix",
        "dropout",
        "long token",
        "split",
        "punctuation",
        "replacement of letters",
    ],
)
def test_other_tokenizers_read_the_whole_word(tokenizer):
    assert not HugeWords(tokenizer).is_able


@pytest.mark.parametrize(
    "normalizer",
    [
        normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
        normalizers.Sequence(
            [normalizers.Replace("``", '"'), normalizers.StripAccents()]
        ),
    ],
    ids=["forms", "marks"],
)
def test_normalizers_that_change_letters_alone_are_allowed(normalizer):
    assert HugeWords(change(normalizer=normalizer)).is_able


def test_a_text_is_not_cut_within_a_character_that_is_composed():
    rng = random.Random(0)
    tokenizer = make_unigram(rng, "ae")
    tokenizer.normalizer = normalizers.NFC()
    text = "a" * 300 + "e\u0301" * 300
    found = HugeWords(tokenizer).first_ids(text, 401, 50)
    assert found == tokenizer.encode(text).ids[: len(found)]
    # Without any letter to cut at, nothing is known.
    assert HugeWords(tokenizer).first_ids("\u0301" * 2000, 1500, 50) == []


@pytest.mark.parametrize("make", [make_bpe, make_small_unigram])
def test_a_word_of_millions_of_letters_is_read_in_a_moment(make):
    tokenizer = TextTokenizer(make(random.Random(0), "ab"), has_segments=False)
    letters = random.Random(0).choices("ab", k=3_000_000)
    # Of the shorter text, all is tokenized.
    short, long = "".join(letters[: SHORTEST - 1]), "".join(letters)
    options = {"max_length": 64, "long_text": "truncate"}
    expected = tokenizer([short], None, **options).ids
    start = time.process_time()
    found = tokenizer([long], None, **options).ids
    # The whole word takes several seconds.
    assert time.process_time() - start < 1
    assert found == expected
