"""Scores of sequences of tags."""

import sys

import pytest

from sklearn_bert.metrics import entity_f1_score


def test_entities_count_as_wholes():
    true = [["B-x", "I-x", "O"], ["O", "B-y"]]
    assert entity_f1_score(true, true) == 1
    assert entity_f1_score(true, [["B-x", "O", "O"], ["O", "B-y"]]) == 0.5
    assert entity_f1_score(true, [["O"] * 3, ["O"] * 2]) == 0
    assert entity_f1_score([["O"]], [["O"]], zero_division=1) == 1


def test_without_seqeval_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "seqeval.metrics", None)
    with pytest.raises(ImportError, match="pip install seqeval"):
        entity_f1_score([["O"]], [["O"]])


@pytest.mark.parametrize(
    ("y_true", "y_pred", "name"),
    [(["B-x"], [["B-x"]], "y_true"), ([["O"], ["O"]], [["O"], "O"], "y_pred")],
)
def test_tags_that_are_in_no_list_are_refused(y_true, y_pred, name):
    with pytest.raises(ValueError, match=f"{name} must contain a list of tags"):
        entity_f1_score(y_true, y_pred)
