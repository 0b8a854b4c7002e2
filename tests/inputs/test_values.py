"""What a single text may hold, and how errors show a value."""

import enum

import numpy as np
import pytest

from sklearn_bert._inputs.texts import check_texts
from sklearn_bert.exceptions import InputError, TextRepairWarning


def test_long_values_are_shown_in_part():
    with pytest.raises(InputError) as caught:
        check_texts([b"x" * 1000])
    assert len(str(caught.value)) < 300


class Film(str, enum.Enum):  # noqa: UP042
    GOOD = "a good film"


class Shouting(str):
    def __str__(self):
        return self.upper()


@pytest.mark.parametrize(
    "text", [Film.GOOD, Shouting("a good film"), np.str_("a good film")]
)
def test_subclasses_of_str_are_their_own_text(text):
    (found,) = check_texts([text]).first
    assert found == "a good film"
    assert type(found) is str


def test_lone_surrogates_become_replacement_characters():
    with pytest.warns(
        TextRepairWarning, match="1 of 2 texts contained lone surrogates"
    ):
        texts = check_texts(["a\ud800b", "fine 🙂"])
    assert texts.first == ["a\ufffdb", "fine 🙂"]


def test_valid_characters_are_left_alone():
    odd = ["", " ", "\x00", "\u200b", "e\u0301", "أهلا", "🙂👍🏽", "\U0010ffff"]
    assert check_texts(odd).first == odd
