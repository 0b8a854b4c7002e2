"""The folds of cross-fitting."""

import numpy as np
import pytest
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    TimeSeriesSplit,
)

from sklearn_bert._fine_tuning.folds import draw_folds

Y = np.arange(40) % 2
NUMBERS = np.arange(40.0)
ONES = np.ones(40)


class Given:
    """A splitter that gives the folds that it was made with."""

    def __init__(self, *folds):
        self.folds = folds

    def split(self, X, y=None, groups=None):
        return self.folds


def test_every_row_is_held_out_once():
    folds = draw_folds(4, NUMBERS, ONES, None, 0, is_stratified=False)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(40))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(40))


def test_classes_keep_their_share():
    for _, test in draw_folds(4, Y, ONES, None, 0, is_stratified=True):
        assert np.bincount(Y[test]).tolist() == [5, 5]


@pytest.mark.parametrize("is_stratified", [False, True])
def test_no_group_is_on_both_sides(is_stratified):
    groups = np.arange(40) // 4
    for train, test in draw_folds(4, Y, ONES, groups, 0, is_stratified=is_stratified):
        assert not {*groups[train]} & {*groups[test]}


def test_a_seed_gives_the_same_folds():
    first, second, other = (
        draw_folds(4, Y, ONES, None, seed, is_stratified=True)[0][1].tolist()
        for seed in (1, 1, 2)
    )
    assert first == second != other


def test_a_splitter_decides_itself():
    folds = draw_folds(KFold(2), Y, ONES, None, 0, is_stratified=True)
    assert folds[0][1].tolist() == list(range(20))


@pytest.mark.parametrize(
    "splitter", [TimeSeriesSplit(3), ShuffleSplit(4), PredefinedSplit([-1] * 40)]
)
def test_splitters_that_do_not_hold_out_every_row_once_are_refused(splitter):
    with pytest.raises(ValueError, match="cv must hold out each sample exactly once"):
        draw_folds(splitter, Y, ONES, None, 0, is_stratified=True)


@pytest.mark.parametrize("groups", [None, np.arange(40) // 20])
def test_too_few_samples_or_groups_are_refused(groups):
    with pytest.raises(ValueError, match=r"cv must be .* Got cv=41 for 40 samples"):
        draw_folds(41, NUMBERS, ONES, groups, 0, is_stratified=False)


def test_masks_and_lists_are_row_numbers():
    is_even = np.arange(40) % 2 == 0
    masks = Given((is_even, ~is_even), (~is_even, is_even))
    even, odd = list(range(0, 40, 2)), list(range(-39, 0, 2))
    lists = Given((even, odd), (odd, even))
    for splitter in (masks, lists):
        folds = draw_folds(splitter, NUMBERS, ONES, None, 0, is_stratified=False)
        assert [test.tolist() for _, test in folds] == [[*range(1, 40, 2)], even]


def test_masks_of_another_length_are_refused():
    mask = np.arange(39) % 2 == 0
    with pytest.raises(ValueError, match=r"cv must be a number of folds.*Lower cv, or"):
        draw_folds(Given((mask, ~mask)), NUMBERS, ONES, None, 0, is_stratified=False)


def test_training_on_held_out_samples_is_refused():
    rows = np.arange(40)
    splitter = Given((rows[20:], rows[:20]), (rows, rows[20:]))
    with pytest.raises(ValueError, match=r"Got 20 samples on both sides of fold 2 of"):
        draw_folds(splitter, NUMBERS, ONES, None, 0, is_stratified=False)


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
def test_a_splitter_that_divides_groups_is_refused():
    with pytest.raises(ValueError, match=r"Got 4 groups on both sides of fold 1 of 2"):
        draw_folds(KFold(2), Y, ONES, np.arange(40) % 4, 0, is_stratified=True)


def test_a_training_set_of_one_class_is_refused():
    y = np.arange(40) // 20
    with pytest.raises(ValueError, match=r"Got only 1 .* in the training set of fold"):
        draw_folds(KFold(2), y, ONES, None, 0, is_stratified=True)
    # Samples of weight 0 are not trained on.
    with pytest.raises(ValueError, match=r"Got only 0 .* in the training set of fold"):
        draw_folds(2, Y, 1.0 - Y, None, 0, is_stratified=True)


def test_a_training_set_without_weight_is_refused():
    weights = np.repeat([0, 1], 20)
    with pytest.raises(ValueError, match=r"Got none in the training set of fold 2 of"):
        draw_folds(KFold(2), NUMBERS, weights, None, 0, is_stratified=False)
