"""Tokens on disk: nothing left out, and every batch of about the size asked for."""

import tracemalloc

import numpy as np
import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_tokenizer
from sklearn_bert._engine.text.corpus import SpooledTexts, TokenCorpus, chunks


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return load_tokenizer(locate(str(tiny_bert), None))


@pytest.fixture(scope="module")
def corpus(tokenizer, texts):
    return TokenCorpus(iter(texts * 60), tokenizer, 12)


def test_no_token_is_left_out(corpus, tokenizer, texts):
    sequences = corpus.take(range(len(corpus))).ids
    inside = sorted(id_ for ids in sequences for id_ in ids[1:-1])
    expected = sorted(id_ for ids in tokenizer.split(texts * 60) for id_ in ids)
    assert inside == expected
    assert max(map(len, sequences)) == 12
    assert corpus.n_tokens == sum(map(len, sequences))
    assert corpus.count_tokens(np.arange(len(corpus))) == corpus.n_tokens


def test_every_sequence_has_special_tokens(corpus):
    assert {(ids[0], ids[-1]) for ids in corpus.take(range(50)).ids} == {(2, 3)}


def test_rows_are_taken_from_long_to_short(corpus):
    lengths = [len(ids) for ids in corpus.take([5, 0, 9, 3, 7]).ids]
    assert lengths == sorted(lengths, reverse=True)


def test_an_epoch_holds_every_row_once(corpus):
    batches = corpus.batches(100, [0, 0])
    assert sorted(np.concatenate(batches)) == list(range(len(corpus)))


@pytest.mark.parametrize("n_tokens", [12, 100, 1000])
def test_batches_are_of_about_the_size_asked_for(corpus, n_tokens):
    sizes = np.diff(corpus.starts)
    batches = corpus.batches(n_tokens, [0, 0])
    assert len(batches) == corpus.n_batches(n_tokens)
    for rows in batches:
        assert 0 < sizes[rows].sum() <= 1.1 * n_tokens + 24


def test_the_order_goes_by_the_seed(corpus):
    first, again = corpus.batches(100, [0, 1]), corpus.batches(100, [0, 1])
    other = corpus.batches(100, [0, 2])
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(np.concatenate(first), np.concatenate(other))


def test_few_tokens_are_one_batch(tokenizer):
    corpus = TokenCorpus(["a film"], tokenizer, 12)
    assert [rows.tolist() for rows in corpus.batches(100, [0])] == [[0]]


def test_the_digest_tells_texts_apart(tokenizer):
    def digest(texts, max_length=12):
        return TokenCorpus(texts, tokenizer, max_length).digest

    assert digest(["a film", "a"]) == digest(iter(["a film", "a"]))
    assert digest(["a film", "a"]) != digest(["a", "a film"])
    assert digest(["a film a film"]) != digest(["a film a film"], max_length=4)


def test_texts_without_tokens_give_no_sequence(tokenizer):
    corpus = TokenCorpus(["", " "], tokenizer, 12)
    assert (len(corpus), corpus.n_tokens) == (0, 0)


def test_long_texts_come_few_at_a_time():
    sizes = [len(chunk) for chunk in chunks(iter(["x" * 400_000] * 7 + ["x"] * 2001))]
    assert sizes == [2, 2, 2, 1000, 1000, 2]


def test_spooled_texts_can_be_read_again_and_again():
    texts = ["a", "", "two\nlines", "é 漢字 \u2028", '"quotes"\\']
    spooled = SpooledTexts(iter(texts))
    assert list(spooled) == texts
    assert list(spooled) == texts


def test_spooled_texts_are_not_in_memory():
    tracemalloc.start()
    try:
        spooled = SpooledTexts("word " * 1000 + str(row) for row in range(4000))
        n_characters = sum(map(len, spooled))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert n_characters > 20_000_000
    assert peak < 1_000_000
