"""The BIO scheme: what may follow what, and the best sequence that obeys."""

from itertools import product

import numpy as np
import pytest

from sklearn_bert._targets.bio import BioRules, check_bio
from sklearn_bert._targets.checks import as_objects

CLASSES = np.array(["B-x", "B-y", "I-x", "I-y", "O"])


def allows(tags):
    try:
        check_bio(as_objects([list(tags)]))
    except ValueError:
        return False
    return True


def test_rules_are_those_of_the_check():
    rules = BioRules.of(CLASSES)
    assert CLASSES[rules.may_start].tolist() == ["B-x", "B-y", "O"]
    for before, now in product(range(5), range(5)):
        start = ["B-x", "B-y", "B-x", "B-y", "O"][before]
        expected = allows([start, CLASSES[before], CLASSES[now]][before in (0, 1, 4) :])
        assert rules.may_follow[before, now] == expected


@pytest.mark.parametrize("seed", range(20))
def test_the_best_path_is_the_best_of_all_that_are_allowed(seed):
    scores = np.random.default_rng(seed).normal(size=(4, 5))
    path = BioRules.of(CLASSES).best_path(scores)
    assert allows(CLASSES[path])
    totals = {
        codes: scores[range(4), codes].sum()
        for codes in product(range(5), repeat=4)
        if allows(CLASSES[list(codes)])
    }
    assert tuple(path) == max(totals, key=totals.get)


def test_what_obeys_by_itself_is_left_alone():
    scores = np.eye(5)[[0, 2, 4, 1, 3]]
    assert BioRules.of(CLASSES).best_path(scores).tolist() == [0, 2, 4, 1, 3]


def test_no_words_have_no_tags():
    assert BioRules.of(CLASSES).best_path(np.empty((0, 5))).tolist() == []
