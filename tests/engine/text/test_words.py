"""Sentences to ids: every word keeps a token, in the window that suits it best."""

from itertools import chain

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._engine.text.words import tokenize_words, words_of_sentence


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return load_checkpoint(locate(str(tiny_bert), None)).tokenizer


def tokens_of_words(sequences, tokenizer):
    """Return the first token of each word, sequence by sequence."""
    raw = Tokenizer.from_str(tokenizer.to_str())
    return [
        [raw.id_to_token(ids[place]) for place in places]
        for ids, places in zip(sequences.ids, sequences.word_positions, strict=True)
    ]


def test_the_first_token_represents_a_word(tokenizer):
    sequences = tokenize_words(tokenizer, [["good", "qx", "film"]], max_length=64)
    assert sequences.word_positions == [[1, 2, 4]]
    assert tokens_of_words(sequences, tokenizer) == [["good", "q", "film"]]


def test_ids_are_those_of_the_text(tokenizer, texts):
    sequences = tokenize_words(tokenizer, [x.split() for x in texts], max_length=64)
    expected = tokenizer(texts, None, max_length=64, long_text="truncate")
    assert sequences.ids == expected.ids
    assert sequences.text_index == expected.text_index


def test_dropped_words_become_unknown(tokenizer):
    words = ["", "good", " ", "\u200b"]
    sequences = tokenize_words(tokenizer, [words], max_length=64)
    found = tokens_of_words(sequences, tokenizer)
    assert found == [["[UNK]", "good", "[UNK]", "[UNK]"]]


def test_controls_are_words_like_any_other(tokenizer):
    sequences = tokenize_words(tokenizer, [["[SEP]"]], max_length=64)
    assert tokens_of_words(sequences, tokenizer) == [["["]]


def test_an_empty_sentence_is_there_and_has_no_words(tokenizer):
    sequences = tokenize_words(tokenizer, [[], ["good"], []], max_length=64)
    assert sequences.text_index == [0, 1, 2]
    assert sequences.word_positions == [[], [1], []]
    assert [len(ids) for ids in sequences.ids] == [2, 3, 2]


def test_nothing_but_empty_sentences_is_no_special_case(tokenizer):
    assert tokenize_words(tokenizer, [[]], max_length=64).word_positions == [[]]


@pytest.mark.parametrize("max_length", [3, 4, 5, 8, 13, 64])
@pytest.mark.parametrize("seed", range(3))
def test_every_word_stands_once_and_in_order(tokenizer, max_length, seed):
    rng = np.random.default_rng(seed)
    words = [["good", "qxz", "film", ""][i] for i in rng.integers(0, 4, 40)]
    sequences = tokenize_words(tokenizer, [words, ["a"]], max_length=max_length)
    firsts = {"good": "good", "qxz": "q", "film": "film", "": "[UNK]"}
    found = list(chain.from_iterable(tokens_of_words(sequences, tokenizer)))
    assert found == [*(firsts[word] for word in words), "a"]
    assert max(map(len, sequences.ids)) <= max_length
    assert all(sequences.word_positions)


def test_a_word_stands_where_its_context_is_widest(tokenizer):
    sequences = tokenize_words(tokenizer, [list("abcdefghij")], max_length=10)
    # Eight letters fit: a to h, and c to j. Of c to h, the first three are farther
    # from the end of the first window than from the start of the second.
    found = tokens_of_words(sequences, tokenizer)
    assert ["".join(window) for window in found] == ["abcde", "fghij"]


def test_windows_without_words_are_left_out(tokenizer):
    sequences = tokenize_words(tokenizer, [["q" * 90, "a"]], max_length=10)
    assert len(sequences.ids) == 2
    assert tokens_of_words(sequences, tokenizer) == [["q"], ["a"]]


def test_words_inside_a_sentence_have_their_space():
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {letter: id_ for id_, letter in enumerate(sorted(alphabet))}
    raw = Tokenizer(models.BPE(vocabulary, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = TextTokenizer(raw, has_segments=False)
    sequences = tokenize_words(tokenizer, [["ab", "c"]], max_length=10)
    whole = raw.encode("ab c").ids
    assert sequences.ids == [whole]
    assert sequences.word_positions == [[0, 2]]


@pytest.mark.parametrize("max_length", [6, 8, 13, 64])
def test_the_tokens_of_each_word_are_found_in_all_windows(tokenizer, max_length):
    words = ["the", "xyz", "film", "", "was", "xyz", "good", "and", "the", "plot"]
    sequences = tokenize_words(tokenizer, [words], max_length=max_length)
    owners = words_of_sentence(tokenizer, words, sequences)
    assert [len(ids) for ids in sequences.ids] == list(map(len, owners))
    assert len(owners) == 1 or max_length < 64
    own = [
        of_window[place]
        for of_window, places in zip(owners, sequences.word_positions, strict=True)
        for place in places
    ]
    assert own == list(range(len(words)))
    for ids, of_window in zip(sequences.ids, owners, strict=True):
        assert (of_window[0], of_window[-1]) == (-1, -1)
        inside = [word for word in of_window if word >= 0]
        expected = [id_ for word in words for id_ in tokenizer.word_ids([word])[0]]
        numbers = [
            number
            for number, word in enumerate(words)
            for _ in tokenizer.word_ids([word])[0]
        ]
        starts = [
            start
            for start in range(len(expected))
            if expected[start : start + len(inside)] == ids[1:-1]
            and numbers[start : start + len(inside)] == inside
        ]
        assert len(starts) == 1


def test_a_sentence_without_words_has_special_tokens_only(tokenizer):
    sequences = tokenize_words(tokenizer, [[]], max_length=8)
    assert words_of_sentence(tokenizer, [], sequences) == [[-1, -1]]
