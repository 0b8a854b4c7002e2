"""How texts are split into words."""

import re
import sys
import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_bert import BertTokenClassifier
from sklearn_bert._inputs.sentences import check_sentences
from sklearn_bert.exceptions import InputError


def words_of(text):
    return check_sentences([text]).words[0]


@pytest.mark.parametrize(
    "word",
    [
        "हिन्दी",
        "Orle\u0301ans",
        "naïve",
        "தமிழ்",
        "עִבְרִית",
        "العَرَبِيَّة",
        "ไทยนี้",
        "می\u200cخواهم",
        "क्\u200dष",
        "x\u20dd",
        "e\u0301-e\u0301",
        "l’e\u0301te\u0301",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "=\u0338",
    ],
)
def test_marks_belong_to_the_character_before_them(word):
    assert words_of(word) == [word]
    assert words_of(f"({word}, {word})") == ["(", word, ",", word, ")"]


def test_marks_that_follow_nothing_are_one_word():
    assert words_of("\u0301\u0300 a") == ["\u0301\u0300", "a"]


def test_composed_and_decomposed_texts_have_as_many_words():
    for character in map(chr, range(sys.maxunicode + 1)):
        if (decomposed := unicodedata.normalize("NFD", character)) == character:
            continue
        for text in ("a{}b", "a {} b", "{}-{}", "{}.", "'{}"):
            found = [
                len(
                    words_of(unicodedata.normalize(form, text.replace("{}", character)))
                )
                for form in ("NFC", "NFD")
            ]
            assert found[0] == found[1], (character, decomposed, text)


def test_without_marks_words_are_those_of_the_documented_expression():
    (documented,) = re.findall("expression ``(.*?)``", BertTokenClassifier.__doc__)
    characters = [chr(k) for k in range(0x3000) if unicodedata.category(chr(k)) != "Cs"]
    for joint in ("", "-", " "):
        text = joint.join(characters)
        plain = "".join(
            c
            for c in text
            if unicodedata.category(c)[0] != "M" and c not in "\u200c\u200d"
        )
        assert words_of(plain) == re.findall(documented, plain)


def test_whoever_splits_texts_may_give_any_sequence():
    splits = [
        str.split,
        lambda text: tuple(text.split()),
        lambda text: iter(text.split()),
    ]
    for split in splits:
        assert check_sentences(["a b"], split).words == [["a", "b"]]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": ["film"]}),
        pl.DataFrame({"a": ["film"]}),
        pa.table({"a": ["film"]}),
        np.array([["film"]]),
    ],
    ids=["pandas", "polars", "pyarrow", "numpy"],
)
def test_a_frame_is_not_a_sentence_of_the_names_of_its_columns(frame):
    with pytest.raises(InputError, match=r"must contain a list of words.* in row 1\."):
        check_sentences([["a", "film"], frame])
