"""Tokens know their words, whatever is cut, and their ids are those of predictions."""

import pytest
from tokenizers import Tokenizer

from sklearn_bert._engine.text.inputs import Texts, TokenizingConfig
from sklearn_bert._engine.text.placing import (
    PlacingTokenizer,
    find_words,
    words_of_tokens,
)
from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert.exceptions import CheckpointError


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    own = Tokenizer.from_file(str(tiny_bert / "tokenizer.json"))
    return TextTokenizer(own, has_segments=True)


@pytest.fixture(scope="module")
def placing(tokenizer):
    return PlacingTokenizer(tokenizer)


@pytest.fixture(scope="module")
def place(placing):
    """Return a function that gives the words of the tokens of one sample."""

    def call(*columns, max_length=64, long_text="truncate", prompt=""):
        texts = Texts(*([text] for text in columns))
        config = TokenizingConfig(max_length, long_text, prompt)
        words = [find_words(placing, text) for text in columns]
        return words_of_tokens(texts.tokenize(placing, config), texts, words, prompt)

    return call


class PanicException(BaseException):
    """What the tokenizers library raises has this name and this base."""


def test_a_panic_is_an_error_as_in_predictions(tokenizer):
    class Panicking:
        def encode_batch(self, texts, **options):
            raise PanicException("at the text")

    placing = PlacingTokenizer(tokenizer)
    placing._tokenizer = Panicking()
    with pytest.raises(CheckpointError, match="a tokenizer that accepts any text"):
        placing.split(["a film"])


@pytest.mark.parametrize("long_text", ["truncate", "head_tail", "window"])
@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("prompt", ["", "a film: "])
def test_ids_are_those_of_predictions(
    tokenizer, placing, texts, long_text, is_pair, prompt
):
    second = texts[::-1] if is_pair else None
    config = TokenizingConfig(17, long_text, prompt)
    expected = Texts(texts, second).tokenize(tokenizer, config)
    assert Texts(texts, second).tokenize(placing, config) == expected


def test_control_tokens_in_a_text_are_words(placing, place):
    assert find_words(placing, "a [MASK]") == [(0, 1), (2, 8)]
    assert place("a [MASK]") == [[-1, 0, 1, 1, 1, 1, 1, 1, -1]]


def test_words_keep_their_punctuation(placing):
    text = " so good!  (very) "
    words = [text[start:stop] for start, stop in find_words(placing, text)]
    assert words == ["so", "good!", "(very)"]


def test_words_without_spaces_are_tokens(placing):
    text = "film 映画は。"
    words = [text[start:stop] for start, stop in find_words(placing, text)]
    assert words[0] == "film"
    assert "".join(words[1:]) == "映画は。"
    assert len(words) > 3


def test_pieces_belong_to_their_word(place):
    assert place("a xyz film") == [[-1, 0, 1, 1, 1, 2, -1]]


def test_an_empty_text_has_special_tokens_only(place):
    assert place("") == [[-1, -1]]


def test_words_of_pairs_are_counted_through(place):
    assert place("a film", "the plot") == [[-1, 0, 1, -1, 2, 3, -1]]


def test_prompts_are_no_words(place):
    assert place("good plot", prompt="the film ") == [[-1, -1, -1, 0, 1, -1]]


def test_the_end_of_a_long_text_is_left_out(place):
    assert place("a film is good", max_length=5) == [[-1, 0, 1, 2, -1]]


def test_the_middle_of_a_long_text_is_left_out(place):
    text = "a film is good and the plot was not"
    (words,) = place(text, max_length=6, long_text="head_tail")
    assert words == [-1, 0, 6, 7, 8, -1]


def test_windows_share_words_and_repeat_the_prompt(place):
    text = "a film is good and the plot"
    windows = place(text, max_length=7, long_text="window", prompt="the ")
    assert windows == [[-1, -1, 0, 1, 2, 3, -1], [-1, -1, 3, 4, 5, 6, -1]]
