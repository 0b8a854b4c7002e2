"""The split that early stopping holds out."""

import warnings

import numpy as np
import pytest

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


def test_a_label_that_would_be_lost_stays_in_training():
    for row in range(40):
        indicators = np.zeros((40, 3))
        indicators[::2, 0] = indicators[row, 2] = 1
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            train, held_out = hold_out(ROWS, indicators, 0.25, 0)
        assert row + 100 in train
        assert sorted([*train, *held_out]) == ROWS.tolist()
        # Ten rows are drawn, and a label that none has on is not lost.
        assert len(held_out) == 10 - len(caught)
        for warning in caught:
            assert warning.category is RareClassWarning
            assert "1 of 3 labels have too few" in str(warning.message)


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


def test_a_rare_label_is_never_lost_to_training(make, texts, labels):
    y = np.c_[labels, np.arange(40) == 7].astype(int)
    classifier = make(early_stopping=True, validation_fraction=0.5, n_epochs=1)
    n_warned = 0
    for seed in range(4):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            classifier.set_params(random_state=seed).fit(texts, y)
        n_warned += len(caught)
        # A label that is never on starts at a constant.
        assert classifier.coef_[1].any()
    assert n_warned > 0
