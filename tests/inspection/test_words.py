"""The words of texts, pairs and sentences, and where they are."""

import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.text.inputs import Sentences, Texts, TokenizingConfig
from sklearn_bert._engine.text.placing import PlacingTokenizer
from sklearn_bert.inspection._words import read_words


@pytest.fixture(scope="module")
def read(tiny_bert):
    tokenizer = load_checkpoint(locate(str(tiny_bert), None)).tokenizer

    def call(inputs, max_length=64):
        config = TokenizingConfig(max_length, "truncate")
        return read_words(inputs, PlacingTokenizer(tokenizer), config)

    return call


def test_a_text(read):
    found = read(Texts(["a  good film!"]))
    assert found.words == ["a", "good", "film!"]
    assert found.spans.tolist() == [[0, 1], [3, 7], [8, 13]]
    assert found.columns.tolist() == [0, 0, 0]
    assert found.sample.words == [[-1, 0, 1, 2, 2, -1]]
    assert not found.is_truncated


def test_a_pair(read):
    found = read(Texts(["a film"], ["the plot"]))
    assert found.words == ["a", "film", "the", "plot"]
    assert found.spans.tolist() == [[0, 1], [2, 6], [0, 3], [4, 8]]
    assert found.columns.tolist() == [0, 0, 1, 1]


def test_a_sentence(read):
    found = read(Sentences([["new york", "film"]]))
    assert found.words == ["new york", "film"]
    assert found.spans is None
    assert set(found.sample.words[0]) == {-1, 0, 1}


def test_a_text_without_words(read):
    found = read(Texts([" "]))
    assert (found.words, found.spans.shape) == ([], (0, 2))


def test_a_text_that_is_too_long(read):
    assert read(Texts(["a good film"]), max_length=4).is_truncated
