"""From lists of tags to a class for each word."""

import enum

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sklearn_bert import BertTokenClassifier
from sklearn_bert._engine.text.inputs import Sentences
from sklearn_bert._targets.checks import as_objects
from sklearn_bert._targets.tags import check_tags, flat_tags, read_tags

Y = as_objects([["b", "a"], [], ["c"], ["a", "a", "b"]])
WEIGHTS = np.array([1.0, 1.0, 0.0, 2.0])


def test_words_are_classes_and_weigh_as_their_sentence():
    target = read_tags(Y, WEIGHTS, None, None, 0.0)
    assert target.values.tolist() == [1, 0, 2, 0, 0, 1]
    assert target.weights.tolist() == [1, 1, 0, 2, 2, 2]
    assert target.classes.tolist() == ["a", "b", "c"]
    assert target.n_samples == 4


def test_sentences_without_words_or_weight_are_no_samples():
    assert read_tags(Y, WEIGHTS, None, None, 0.0).samples().tolist() == [0, 3]


def test_taking_sentences_takes_their_words():
    target = read_tags(Y, WEIGHTS, None, None, 0.0).take(np.array([3, 1, 0]))
    assert target.values.tolist() == [0, 0, 1, 1, 0]
    assert target.weights.tolist() == [2, 2, 2, 1, 1]
    assert target.y.tolist() == [["a", "a", "b"], [], ["b", "a"]]
    assert target.lengths.tolist() == [3, 0, 2]


def test_sentences_and_the_words_of_each_tag_are_counted():
    counts = read_tags(Y, WEIGHTS, None, None, 0.0).count()
    assert counts["n_samples_seen_"] == 2
    assert counts["class_count_"].tolist() == [3, 2, 0]


def test_class_weights_go_by_word():
    target = read_tags(Y, WEIGHTS, None, {"a": 10}, 0.0)
    assert target.weights.tolist() == [1, 10, 0, 20, 20, 2]
    balanced = read_tags(Y, WEIGHTS, None, "balanced", 0.0)
    totals = np.bincount(balanced.values, balanced.weights)
    assert totals[0] == pytest.approx(totals[1])


class Tag(str, enum.Enum):  # noqa: UP042
    OUT = "O"
    NAME = "B-name"


class Word(enum.StrEnum):
    OUT = "O"
    NAME = "B-name"


TEXTS, NUMBERS = [["O", "B-name"], ["O"]], [[2**53, 2**53 + 1], [0]]


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (TEXTS, TEXTS),
        ([[Word.OUT, Word.NAME], [Word.OUT]], TEXTS),
        ([np.array(["O", "B-name"]), ("O",)], TEXTS),
        (pd.Series(TEXTS), TEXTS),
        (pl.Series(TEXTS), TEXTS),
        (pa.array(TEXTS), TEXTS),
        (pl.DataFrame({"tags": TEXTS}), TEXTS),
        (pa.table({"tags": TEXTS}), TEXTS),
        (NUMBERS, NUMBERS),
        ([np.array([2**53, 2**53 + 1]), np.array([0], "uint8")], NUMBERS),
        (pa.array(NUMBERS), NUMBERS),
        ([[2**63, 2**63 + 1], [1]], [[2**63, 2**63 + 1], [1]]),
        ([["O", "O\0"], ["O"]], [["O", "O\0"], ["O"]]),
    ],
)
def test_tags_are_as_given(y, expected):
    tags = check_tags(y, Sentences([["a", "b"], ["c"]]), BertTokenClassifier())
    assert tags.tolist() == expected
    assert flat_tags(tags).tolist() == [*expected[0], *expected[1]]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            [[Tag.OUT, Tag.NAME], ["O"]],
            r"Got <Tag\.OUT: 'O'> \(Tag\) for word 0 of sen",
        ),
        ([np.array(["O", Tag.NAME], object), ["O"]], r"read as 'Tag\.NAME'"),
        (pd.Series([["O", Tag.NAME], ["O"]]), r"word 1 of sentence 0.*label\.value"),
        ([[2**63, 0], [-1]], "Got integers from -1 to 9223372036854775808"),
        ([[2**64, 0], [1]], "Got integers from 0 to 18446744073709551616"),
        ([np.array([1, 2], "m8[D]"), ["O"]], r"Got .*timedelta"),
        ([[b"O", b"X"], [b"O"]], r"Got b'O' \(bytes\) .*tag\.decode\(\)"),
        ("O X", r"one list of tags per sample\. Got 'O X' \(str\)\. Pass a list"),
        (b"O X", r"one list of tags per sample\. Got b'O X' \(bytes\)"),
        ({("O", "X"), ("O",)}, r"\(set\)\. A set has no order"),
        ({0: ["O", "X"], 1: ["O"]}, r"list\(y\.values\(\)\)"),
        ((row for row in TEXTS), r"\(generator\)\. Convert it to a list: list\(y\)"),
        (3, r"Got 3 \(int\)\. Pass a list"),
        ([["O", "X"], None], r"Got None \(NoneType\) in row 1\. Drop the sentence"),
        ([["O", "X"], {"O"}], r"\(set\) in row 1\. A set has no order"),
        (["O X", "O"], r"Got 'O X' \(str\) in row 0.*tags\.split\(\)"),
        (np.ma.masked_array([[1, 2], [3, 4]], [[0, 0], [1, 0]]), "masked .*in row 1"),
        ([np.ma.masked_array(["O", "X"], [0, 1]), ["O"]], "word 1 of .* is missing"),
    ],
)
def test_what_is_not_a_list_of_tags_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_tags(y, Sentences([["a", "b"], ["c"]]), BertTokenClassifier())
