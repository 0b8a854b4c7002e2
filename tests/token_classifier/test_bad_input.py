"""Sentences, tags, weights and parameters that are refused, and in which words."""

import re

import pandas as pd
import pyarrow as pa
import pytest

from sklearn_bert.exceptions import InputError

NAN = float("nan")


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ("a text", "Iterable over raw text documents expected, string object"),
        ([], "Found array with 0 sample(s)"),
        ([["a", 3], ["b"]], "Got 3 (int) in sentence 0, word 1: 1 of 2 rows"),
        ([["a", 3], ["b"]], "[[str(word) for word in words] for words in X]"),
        ([["a"], [None]], "Got None (NoneType) in sentence 1, word 0"),
        ([["a"], [["b"]]], "Got ['b'] (list) in sentence 1, word 0"),
        ([["a"], [b"b"]], "Decode bytes first"),
        ([["a", "b"], "a text"], "Split the texts into lists"),
        ([["a", "b"], 3], "Got 3 (int) in row 1"),
        ([["a"], {"b"}], "Got {'b'} (set) in row 1"),
        ({"a": 1}, "Its keys are 'a'. Select the texts in it, for instance X['a']"),
        (
            [["a"], None],
            "Got None (NoneType) in row 1. Drop these rows and",
        ),
        (
            ["a text", NAN],
            "Got nan (float) in row 1. Drop these rows and",
        ),
        ([["a"], [None]], "set missing='empty' to read them as empty words"),
        ([["a"], b"b"], "Got b'b' (bytes) in row 1. Decode bytes first"),
        ([{"words": ["a"]}], "Select the field of the sentences: value['words']"),
        ([[{"word": "a"}]], "Select the field of the words: value['word']"),
        (list(pa.array(["a"])), "Convert pyarrow scalars first: value.as_py()"),
        ([[["a"]]], "Pass a list of sentences, each a list of words"),
        (pd.DataFrame(), "Got 0 columns. Pass a frame that contains the texts"),
        (3, "X must be a list, array, Series or frame"),
        (pd.DataFrame({"a": [["x"]], "b": [["y"]]}), "one column of sentences. Got 2"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_sentences_are_refused(fitted, X, words):
    with pytest.raises(InputError, match=re.escape(words)):
        fitted.predict(X)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([["O", "X"]], "inconsistent numbers of samples: [2, 1]"),
        ([["O", "X"], ["O"]], "Got 1 tags for 2 words in sentence 1: 1 of 2"),
        ([["O", "X"], ["O"] * 3], "Got 3 tags for 2 words in sentence 1"),
        (["O", "X"], "Got 'O' (str) in row 0. If X and y are a single sentence"),
        ([["O", "X"], 3], "Got 3 (int) in row 1"),
        ([["O", None], ["O", "X"]], "word 1 of sentence 0 is missing"),
        ([["O", NAN], ["O", "X"]], "Input y contains NaN"),
        ([["O", 1], ["O", "X"]], "Got 1 (int) for word 1 of sentence 0"),
        ([[0.5, 1.5], [0.5, 1.5]], "Got 0.5 (float) for word 0 of sentence 0"),
        (
            [[3, -100], [4, 3]],
            "Got -100 for word 1 of sentence 0, which marks ignored tokens",
        ),
        ([["O", "X"], {"X"}], "(set) in row 1"),
        ([["O", "O"], ["O", "O"]], "Got only one tag: 'O'. Add samples of another tag"),
        (pd.DataFrame([[["O"], ["X"]]] * 2), "one column, of lists of tags. Got 2"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_tags_are_refused(make, y, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make().fit([["a", "b"], ["c", "d"]], y)


def test_a_flat_list_of_words_is_refused(make):
    with pytest.raises(ValueError, match="put them into lists"):
        make().fit(["Ann", "left", "Rome"], ["P", "O", "L"])


def test_nothing_but_empty_sentences_is_refused(make):
    with pytest.raises(ValueError, match="Got only empty sentences"):
        make().fit([[], []], [[], []])


def test_weights_on_nothing_but_empty_sentences_are_refused(make):
    with pytest.raises(ValueError, match="positive weights only for empty"):
        make().fit([["a", "b"], []], [["O", "X"], []], sample_weight=[0, 1])


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0]])
def test_bad_weights_are_refused(make, weights):
    with pytest.raises(ValueError, match=r"[Ww]eight"):
        make().fit([["a"], ["b"]], [["O"], ["X"]], sample_weight=weights)


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        (len, "must return a list of words (str) for each text. Got 4 (int)"),
        (str, "must return a list of words (str) for each text. Got 'text' (str)"),
        (lambda text: [1], "Got [1] (list) for 'text' (str)"),
    ],
)
def test_bad_word_tokenizers_are_refused(make, tokenizer, words):
    with pytest.raises(InputError, match=re.escape(words)):
        make(word_tokenizer=tokenizer).split_words(["text"])


@pytest.mark.parametrize("change", [{"constrain_tags": "iob"}, {"word_tokenizer": 1}])
def test_bad_parameters_are_refused_in_scikit_learns_words(make, change):
    (name,) = change
    words = f"The '{name}' parameter of BertTokenClassifier"
    with pytest.raises(ValueError, match=words):
        make(**change).fit([["a", "b"]], [["O", "X"]])
