"""From lists of tags to a class for each word."""

import numpy as np
import pytest

from sklearn_bert._targets.tags import as_objects, read_tags

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


def test_class_weights_go_by_word():
    target = read_tags(Y, WEIGHTS, None, {"a": 10}, 0.0)
    assert target.weights.tolist() == [1, 10, 0, 20, 20, 2]
    balanced = read_tags(Y, WEIGHTS, None, "balanced", 0.0)
    totals = np.bincount(balanced.values, balanced.weights)
    assert totals[0] == pytest.approx(totals[1])
