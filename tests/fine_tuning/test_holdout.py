"""The split that early stopping holds out."""

import warnings

import numpy as np
import pytest

from sklearn_bert._fine_tuning import holdout
from sklearn_bert._fine_tuning.holdout import hold_out
from sklearn_bert.exceptions import RareClassWarning

ROWS = np.arange(100, 140)


def test_every_row_is_on_one_side():
    train, held_out = hold_out(ROWS, None, 0.25, 0)
    assert sorted([*train, *held_out]) == ROWS.tolist()
    assert len(held_out) == 10


def test_classes_keep_their_share():
    strata = np.array([0] * 20 + [1] * 20)
    _, held_out = hold_out(ROWS, strata, 0.25, 0)
    assert np.bincount(strata[held_out - 100]).tolist() == [5, 5]


def test_a_seed_gives_the_same_split():
    first, second, other = (hold_out(ROWS, None, 0.25, seed)[1] for seed in (1, 1, 2))
    assert first.tolist() == second.tolist()
    assert first.tolist() != other.tolist()


def test_a_single_sample_stays_in_training():
    strata = np.array([0] * 20 + [1] * 19 + [2])
    with pytest.warns(RareClassWarning, match="1 of 3 classes have too few"):
        train, held_out = hold_out(ROWS, strata, 0.25, 0)
    assert 139 in train
    assert 139 not in held_out


def test_a_class_that_would_be_lost_stays_in_training():
    strata = np.array([0] * 38 + [1] * 2)
    with pytest.warns(RareClassWarning, match="1 of 2 classes have too few"):
        train, held_out = hold_out(ROWS, strata, 0.95, 0)
    assert set(strata[train - 100]) == {0, 1}
    assert sorted([*train, *held_out]) == ROWS.tolist()


def label_one(row):
    """Return indicators of three labels: of half of the rows, of none, and of one."""
    indicators = np.zeros((40, 3))
    indicators[::2, 0] = indicators[row - 100, 2] = 1
    return indicators


def test_a_label_that_would_be_lost_stays_in_training():
    _, drawn = hold_out(ROWS, None, 0.25, 0)
    with pytest.warns(RareClassWarning, match="1 of 3 labels have too few"):
        train, held_out = hold_out(ROWS, label_one(drawn[0]), 0.25, 0)
    assert held_out.tolist() == drawn[1:].tolist()
    assert sorted([*train, *held_out]) == ROWS.tolist()


def test_a_label_that_is_not_drawn_is_not_lost():
    others, drawn = hold_out(ROWS, None, 0.25, 0)
    _, held_out = hold_out(ROWS, label_one(others[0]), 0.25, 0)
    assert held_out.tolist() == drawn.tolist()


def test_labels_that_leave_nothing_to_validate_with_are_refused():
    with pytest.raises(ValueError, match=r"validation set is too small.*no other row"):
        hold_out(ROWS, np.eye(40), 0.25, 0)


def test_too_few_rows_to_train_on_are_told_apart():
    with pytest.raises(ValueError, match=r"The training set is too small\. Decrease"):
        hold_out(ROWS, np.arange(40) % 4, 0.99, 0)


@pytest.mark.parametrize("strata", [np.arange(40) % 20, np.arange(40)])
def test_too_few_rows_are_refused(strata):
    with pytest.raises(ValueError, match=r"too small.*Got validation_fraction=0\.1"):
        hold_out(ROWS, strata, 0.1, 0)


def test_a_rare_label_is_not_lost_to_training(make, texts, labels):
    scored = []

    def score(estimator, X, y):
        scored.append(y)
        return 0.0

    y = np.c_[labels, np.arange(40) == 39].astype(int)
    classifier = make(early_stopping=True, validation_split="last", scoring=score)
    with pytest.warns(RareClassWarning, match="1 of 2 labels"):
        classifier.fit(texts, y)
    assert not scored[-1][:, 1].any()


def test_no_group_is_on_both_sides():
    groups = np.arange(40) % 8
    strata = np.arange(40) % 3
    for y in (None, strata, np.eye(3)[strata]):
        train, held_out = hold_out(ROWS, y, 0.25, 0, groups=groups)
        assert sorted([*train, *held_out]) == ROWS.tolist()
        assert not {*groups[train - 100]} & {*groups[held_out - 100]}
        assert len(held_out) == 10


def test_classes_keep_their_share_in_groups():
    # Four of the 20 groups have the rare class.
    strata = np.repeat([1, 0, 0, 0, 0] * 4, 2)
    groups = np.repeat(np.arange(20), 2)
    for seed in range(5):
        _, held_out = hold_out(ROWS, strata, 0.25, seed, groups=groups)
        assert np.bincount(strata[held_out - 100]).tolist() == [8, 2]


def test_groups_of_different_sizes_give_about_the_fraction_of_the_rows():
    groups = np.repeat([0, 1, 2, 3, 4, 5], [20, 4, 4, 4, 4, 4])
    _, held_out = hold_out(ROWS, None, 0.3, 0, groups=groups)
    assert len(held_out) == 8


def test_a_class_that_only_one_group_has_stays_in_training():
    strata = np.array([1, 0, 0, 0] * 10)
    groups = np.arange(40) % 4
    strata[groups == 0] = [1] * 5 + [0] * 5
    for seed in range(3):
        _, held_out = hold_out(ROWS, strata, 0.25, seed, groups=groups)
        assert not {*groups[held_out - 100]} & {0}


def test_groups_with_lost_classes_move_to_training_as_a_whole():
    # Two of these groups are drawn, of which one has a class of its own.
    groups = np.repeat([0, 1, 2], [10, 10, 20])
    strata = np.where(np.arange(40) % 10 == 0, 1 + groups, 0)
    strata[groups == 2] = 0
    with pytest.warns(RareClassWarning, match="1 of 3 classes have no samples in the"):
        train, held_out = hold_out(ROWS, strata, 0.65, 0, groups=groups)
    assert {*groups[train - 100]} == {0, 1}
    assert {*groups[held_out - 100]} == {2}


def test_groups_that_each_have_a_class_of_their_own_are_refused():
    strata = np.arange(40) % 4
    for y in (strata, np.eye(4)[strata]):
        with pytest.raises(ValueError, match=r"Got 4 groups, .* Fit without groups"):
            hold_out(ROWS, y, 0.1, 0, groups=strata)


def test_the_only_group_that_can_be_held_out_is_found(monkeypatch):
    # Two groups are drawn, so that at least one of three is not.
    monkeypatch.setattr(holdout, "_N_DRAWN", 1)
    groups = np.arange(40) // 2
    for free in range(3):
        # Every other group has a class of its own.
        strata = np.where(np.arange(40) % 2, 1 + groups, 0)
        strata[groups == free] = 0
        for y in (strata, np.eye(21)[strata]):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RareClassWarning)
                train, held_out = hold_out(ROWS, y, 0.1, 0, groups=groups)
            assert {*groups[held_out - 100]} == {free}
            assert len(train) == 38


def test_labels_that_never_occur_do_not_matter_in_groups():
    groups = np.arange(40) // 4
    _, held_out = hold_out(ROWS, np.zeros((40, 3)), 0.2, 0, groups=groups)
    assert len(held_out) == 8


def test_a_single_group_is_refused():
    with pytest.raises(ValueError, match=r"at least 2 groups .* Got 1 group for 40"):
        hold_out(ROWS, None, 0.25, 0, groups=np.zeros(40))


def test_too_few_groups_for_the_fraction_are_refused():
    with pytest.raises(ValueError, match=r"training set is too small.*: 3 groups\. "):
        hold_out(ROWS, None, 0.9, 0, groups=np.arange(40) % 3)


def test_a_seed_gives_the_same_groups():
    groups = np.arange(40) // 2
    first, second, other = (
        hold_out(ROWS, None, 0.25, seed, groups=groups)[1].tolist()
        for seed in (1, 1, 2)
    )
    assert first == second != other


def test_the_last_rows_are_held_out():
    strata = np.arange(40) % 3
    for y in (None, strata, np.eye(3)[strata]):
        train, held_out = hold_out(ROWS, y, 0.25, 0, takes_last=True)
        assert train.tolist() == list(range(100, 130))
        assert held_out.tolist() == list(range(130, 140))


def test_a_class_that_only_the_last_rows_have_stays_in_training():
    strata = np.array([0] * 20 + [1] * 18 + [2] * 2)
    with pytest.warns(RareClassWarning, match="1 of 3 classes have no samples in the"):
        train, held_out = hold_out(ROWS, strata, 0.25, 0, takes_last=True)
    assert train.tolist() == [*range(100, 130), 138, 139]
    assert held_out.tolist() == list(range(130, 138))


def test_last_rows_of_other_classes_alone_are_refused():
    strata = np.arange(40) // 20
    for y in (strata, np.eye(2)[strata]):
        with pytest.raises(ValueError, match="Set validation_split='random'"):
            hold_out(ROWS, y, 0.5, 0, takes_last=True)


def test_groups_are_refused_if_the_last_rows_are_held_out():
    with pytest.raises(ValueError, match="groups must be None with validation_split"):
        hold_out(ROWS, None, 0.25, 0, groups=np.arange(40), takes_last=True)
