"""What a target means for each kind of estimator, and which ones are refused."""

import numpy as np
import pytest

from sklearn_bert.inspection._explained import read_target


def explain(estimator, target, outputs, position=None, n=1, row=0):
    goal = read_target(estimator, target, position, n)
    explained = goal.choose(row, np.array(outputs))
    return explained, goal.name(explained).tolist()


@pytest.mark.parametrize(
    ("target", "weights", "name"),
    [("up", [-1, 1], "up"), ("down", [1, -1], "down"), (None, [1, -1], "down")],
)
def test_of_two_classes_log_odds_are_explained(binary, target, weights, name):
    explained, names = explain(binary, target, [[2.0, 1.0]])
    assert explained.weights.tolist() == [weights]
    assert names == [name]


@pytest.mark.parametrize(("target", "name"), [("b", "b"), (None, "c")])
def test_of_more_classes_the_score_of_one_is_explained(fit, target, name):
    explained, names = explain(fit("classes"), target, [[1.0, 2.0, 3.0]])
    assert explained.weights.tolist() == [[one == name for one in "abc"]]
    assert names == [name]


@pytest.mark.parametrize("target", [2, None])
def test_of_labels_the_score_of_one_is_explained(fit, target):
    explained, names = explain(fit("labels"), target, [[1.0, 2.0, 3.0]])
    assert explained.weights.tolist() == [[0, 0, 1]]
    assert names == [2]


def test_each_text_may_have_its_own_target(binary):
    targets = np.array(["up", "down"])
    _, names = explain(binary, targets, [[1.0, 2.0]], n=2, row=1)
    assert names == ["down"]


def test_one_of_several_numbers_is_explained(fit):
    explained, names = explain(fit("outputs"), 1, [[1.0, 2.0]])
    assert explained.weights.tolist() == [[0, 1]]
    assert names == [1]


def test_the_only_number_needs_no_target(fit):
    assert explain(fit("regressor"), None, [[1.0]])[1] == [0]


def test_of_a_tagger_the_predicted_tag_of_each_word_is_explained(tagger):
    outputs = [[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]
    explained, names = explain(tagger, None, outputs)
    assert names == ["B", "O"]
    assert explained.rows.tolist() == [0, 1]
    assert explained.weights.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_of_a_tagger_one_tag_of_one_word_may_be_explained(tagger):
    outputs = [[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]
    explained, names = explain(tagger, "I", outputs, position=1)
    assert names == ["I"]
    assert explained.rows.tolist() == [1]


def test_tags_are_those_of_valid_sequences(fit):
    X = ["a film", "the good plot"] * 4
    sentences = [text.split() for text in X]
    tagger = fit("tagger", X).set_params(constrain_tags="bio")
    tags = [["B-x", "I-x", "O"][: len(words)] for words in sentences]
    tagger.fit(sentences, tags)
    # I-x is the best one of the first word, where it may not be.
    _, names = explain(tagger, None, [[1.0, 2.0, 0.0], [0.0, 3.0, 0.0]])
    assert names == ["B-x", "I-x"]


@pytest.mark.parametrize(
    ("kind", "target", "message"),
    [
        ("binary", "left", r"one of the classes, \['down', 'up'\]. Got 'left'"),
        ("binary", ["up"], "one for each text. Got 1 for 3 texts"),
        ("labels", 3, r"one of the classes, \[0, 1, 2\]. Got 3"),
        ("outputs", None, "from 0 to 1. Got None"),
        ("outputs", 2, "from 0 to 1. Got 2"),
        ("regressor", True, "from 0 to 0. Got True"),
        ("tagger", "X", r"\['B', 'I', 'O'\]. Got 'X'"),
    ],
)
def test_other_targets_are_refused(fit, kind, target, message):
    with pytest.raises(ValueError, match=f"target must be .*{message}"):
        read_target(fit(kind), target, None, 3)


def test_a_position_is_refused_unless_words_are_tagged(binary):
    with pytest.raises(ValueError, match=r"position must be None .* Got 0 for a Bert"):
        read_target(binary, None, 0, 1)


def test_a_position_must_be_that_of_a_word(tagger):
    with pytest.raises(ValueError, match="Got 2, and sentence 0 has 2 words"):
        explain(tagger, None, [[1.0, 2.0, 3.0]] * 2, position=2)
