"""Scores of a model card are finite numbers with names."""

import numpy as np
import pytest

from sklearn_bert._sharing.scores import check_scores


def test_scores_become_floats():
    scores = check_scores({"accuracy": np.float32(0.5), "n": 3})
    assert scores == {"accuracy": 0.5, "n": 3.0}
    assert {type(score) for score in scores.values()} == {float}


def test_no_scores_are_none():
    assert check_scores(None) == check_scores({}) == {}


@pytest.mark.parametrize(
    ("scores", "got"),
    [
        (0.9, r"Got 0.9 \(float\)"),
        (["accuracy"], r"Got \['accuracy'\] \(list\)"),
        ({1: 0.9}, r"Got the name 1 \(int\)"),
        ({"": 0.9}, "Got the name ''"),
        ({"a\n---": 0.9}, "Got the name 'a"),
        ({"x" * 101: 0.9}, "Got the name 'x"),
        ({"accuracy": "0.9"}, r"Got '0.9' \(str\) for 'accuracy'"),
        ({"accuracy": True}, "Got True"),
        ({"accuracy": np.True_}, "for 'accuracy'"),
        ({"accuracy": float("nan")}, "Got nan"),
        ({"accuracy": float("inf")}, "Got inf"),
        ({"accuracy": 10**400}, r"for 'accuracy'"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_anything_else_is_refused(scores, got):
    with pytest.raises(ValueError, match=rf"scores must be .* {got}.*\. Pass scores"):
        check_scores(scores)
