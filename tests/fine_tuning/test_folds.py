"""The folds of cross-fitting."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, ShuffleSplit, TimeSeriesSplit

from sklearn_bert._fine_tuning.folds import draw_folds

Y = np.arange(40) % 2
NUMBERS = np.arange(40.0)


def test_every_row_is_held_out_once():
    folds = draw_folds(4, NUMBERS, None, 0, is_stratified=False)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(40))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(40))


def test_classes_keep_their_share():
    for _, test in draw_folds(4, Y, None, 0, is_stratified=True):
        assert np.bincount(Y[test]).tolist() == [5, 5]


@pytest.mark.parametrize("is_stratified", [False, True])
def test_no_group_is_on_both_sides(is_stratified):
    groups = np.arange(40) // 4
    for train, test in draw_folds(4, Y, groups, 0, is_stratified=is_stratified):
        assert not {*groups[train]} & {*groups[test]}


def test_a_seed_gives_the_same_folds():
    first, second, other = (
        draw_folds(4, Y, None, seed, is_stratified=True)[0][1].tolist()
        for seed in (1, 1, 2)
    )
    assert first == second != other


def test_a_splitter_decides_itself():
    folds = draw_folds(KFold(2), Y, None, 0, is_stratified=True)
    assert folds[0][1].tolist() == list(range(20))


@pytest.mark.parametrize("splitter", [TimeSeriesSplit(3), ShuffleSplit(4)])
def test_splitters_that_do_not_hold_out_every_row_once_are_refused(splitter):
    with pytest.raises(ValueError, match="cv must hold out each sample exactly once"):
        draw_folds(splitter, Y, None, 0, is_stratified=True)


@pytest.mark.parametrize("groups", [None, np.arange(40) // 20])
def test_too_few_samples_or_groups_are_refused(groups):
    with pytest.raises(ValueError, match=r"cv must be .* Got cv=41 for 40 samples"):
        draw_folds(41, NUMBERS, groups, 0, is_stratified=False)
