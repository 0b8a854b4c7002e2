"""The samples of a call: what they count as, and how many of them are cut."""

import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_tokenizer
from sklearn_bert._engine.text.inputs import (
    Sentences,
    Texts,
    TokenizingConfig,
    count_truncated,
    tokenize_in_chunks,
)

PAIRS = Texts(["good", "a bad film " * 20], ["film " * 20, "bad " * 30])
SENTENCES = Sentences([["a", "film"], [], ["good"]])


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return load_tokenizer(locate(str(tiny_bert), None))


def test_a_pair_has_the_characters_of_both_halves():
    assert Texts(["a", "bc"], ["def", ""]).n_characters == [4, 2]


def test_a_sentence_has_the_characters_of_its_words():
    assert SENTENCES.n_characters == [5, 0, 4]


def test_a_sentence_gives_a_row_for_each_word():
    assert SENTENCES.n_rows == 3


def test_taken_pairs_stay_pairs():
    assert PAIRS.take([1]) == Texts(PAIRS.first[1:], PAIRS.second[1:])


def test_sentences_are_taken_in_the_order_asked_for():
    assert SENTENCES.take([2, 0]).to_list() == [["good"], ["a", "film"]]


@pytest.mark.parametrize("n_samples", [4096, 4097, 9000])
@pytest.mark.parametrize("inputs", [PAIRS, SENTENCES], ids=["pairs", "sentences"])
def test_chunks_hold_the_ids_of_all_samples_in_order(tokenizer, inputs, n_samples):
    config = TokenizingConfig(max_length=12, long_text="truncate")
    inputs = inputs.take([i % len(inputs) for i in range(n_samples)])
    whole = inputs.tokenize(tokenizer, config).ids
    chunks = list(tokenize_in_chunks(tokenizer, inputs, config))
    assert len(chunks) == -(-n_samples // 4096)
    assert [ids for chunk in chunks for ids in chunk.ids] == whole


@pytest.mark.parametrize("long_text", ["truncate", "head_tail", "window"])
@pytest.mark.parametrize("inputs", [PAIRS, Texts(PAIRS.first)], ids=["pairs", "texts"])
@pytest.mark.parametrize("prompt", ["", "a good"])
def test_as_many_are_counted_as_are_cut(tokenizer, inputs, long_text, prompt):
    config = TokenizingConfig(max_length=9, long_text=long_text, prompt=prompt)
    n_truncated = len(inputs.tokenize(tokenizer, config).truncated)
    assert count_truncated(tokenizer, inputs, config) == n_truncated


@pytest.mark.parametrize("long_text", ["truncate", "head_tail", "window"])
def test_a_prompt_without_room_is_refused_when_texts_are_counted(tokenizer, long_text):
    config = TokenizingConfig(max_length=4, long_text=long_text, prompt="a good")
    with pytest.raises(ValueError, match="prompt must have fewer than 2 tokens"):
        count_truncated(tokenizer, Texts(["film"]), config)
