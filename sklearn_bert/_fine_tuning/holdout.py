"""The validation split used for early stopping."""

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import RareClassWarning

# Splits by groups that are drawn, of which the best is taken.
_N_DRAWN = 20

_Rows = tuple[np.ndarray, np.ndarray]


def hold_out(
    rows: np.ndarray,
    strata: np.ndarray | None,
    fraction: float,
    seed: int,
    *,
    groups: np.ndarray | None = None,
    takes_last: bool = False,
) -> _Rows:
    """Split rows into training and validation rows.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Row numbers, in ascending order.
    strata : ndarray of shape (n,) or (n, n_labels), or None
        The class of each row, for a stratified split, or an indicator matrix, for a
        random split. All rows of a class or label that would be missing from training
        are used for training, with one warning.
    fraction : float
        Fraction of validation rows.
    seed : int
    groups : ndarray of shape (n,) or None
        The group of each row. All rows of a group are on the same side.
    takes_last : bool
        Whether to hold out the last rows instead of random ones.

    Returns
    -------
    train, held_out : ndarray
        Row numbers.

    Raises
    ------
    ValueError
        If there are too few rows or groups, or training would miss a class or label
        whatever is held out.
    """
    n_alone = 0
    if takes_last:
        _refuse_groups(groups)
        train, held_out = _split(np.arange(len(rows)), None, fraction, None)
    elif groups is not None:
        train, held_out = _split_groups(groups, strata, fraction, seed)
    elif strata is not None and strata.ndim == 1:
        train, held_out, n_alone = _split_classes(strata, fraction, seed)
    else:
        train, held_out = _split(np.arange(len(rows)), None, fraction, seed)
    if strata is not None:
        is_lost, n_rare, n_all = _find_lost(strata, train, held_out, groups)
        if is_lost.all() and takes_last:
            raise ValueError(
                "validation_split='last' must hold out rows of classes or labels that "
                f"earlier rows have too. Got {len(rows)} samples, and each of the last "
                f"{len(held_out)} has one that no earlier row has. Set "
                "validation_split='random', or early_stopping=False."
            )
        if is_lost.all():
            why = (
                "all of the selected rows have classes or labels that no other row has"
            )
            raise _too_small("validation", fraction, len(rows), why)
        if n_rare + n_alone:
            is_random = groups is None and not takes_last
            which = "classes" if strata.ndim == 1 else "labels"
            _warn_of_rare(f"{n_rare + n_alone} of {n_all} {which}", is_random)
        train = np.concatenate([train, held_out[is_lost]])
        held_out = held_out[~is_lost]
    return rows[np.sort(train)], rows[np.sort(held_out)]


def _find_lost(
    strata: np.ndarray,
    train: np.ndarray,
    held_out: np.ndarray,
    groups: np.ndarray | None,
) -> tuple[np.ndarray, int, int]:
    """Find the validation rows of classes or labels that training would not see.

    Returns
    -------
    is_lost : ndarray of shape (n_held_out,), bool
        The other rows of their groups are lost too.
    n_rare, n_all : int
        Numbers of such classes or labels, and of all.
    """
    if strata.ndim == 1:
        is_lost = ~np.isin(strata[held_out], strata[train])
        n_rare, n_all = len({*strata[held_out][is_lost]}), len(np.unique(strata))
    else:
        is_on = strata > 0
        is_rare = is_on.any(axis=0) & ~is_on[train].any(axis=0)
        is_lost = is_on[held_out][:, is_rare].any(axis=1)
        n_rare, n_all = int(is_rare.sum()), strata.shape[1]
    if groups is not None:
        is_lost = np.isin(groups[held_out], groups[held_out[is_lost]])
    return is_lost, n_rare, n_all


def _split_classes(
    strata: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Split stratified by class, and return the number of classes of one row too."""
    _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
    is_alone = counts[codes] == 1
    train, held_out = _split(np.flatnonzero(~is_alone), strata, fraction, seed)
    alone = np.flatnonzero(is_alone)
    return np.concatenate([train, alone]), held_out, len(alone)


def _split_groups(
    groups: np.ndarray, strata: np.ndarray | None, fraction: float, seed: int
) -> _Rows:
    """Draw splits by groups, and return that with the best shares of the classes."""
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            "groups must contain at least 2 groups of positive weight for early "
            f"stopping, which keeps each on one side of its split. Got {n_groups} "
            f"group for {len(groups)} samples. Provide more groups, or set "
            "early_stopping=False."
        )
    splitter = GroupShuffleSplit(_N_DRAWN, test_size=fraction, random_state=seed)
    try:
        drawn: list[_Rows] = list(splitter.split(groups, groups=groups))
    except ValueError as error:
        small = "validation" if fraction <= 0.5 else "training"
        why = f"{n_groups} groups. {error}"
        raise _too_small(small, fraction, len(groups), why) from error
    # The number of rows counts like a class of all of them.
    every = np.ones((len(groups), 1), dtype=int)

    def rate(split: _Rows) -> tuple[bool, int, float]:
        """Return what is best if it is small.

        That is whether all rows are lost, how many are, and how wrong the shares of the
        others are.
        """
        train, held_out = split
        if strata is None:
            return False, 0, _distance(every, held_out, fraction)
        is_lost, _, _ = _find_lost(strata, train, held_out, groups)
        left = held_out[~is_lost]
        distance = _distance(every, left, fraction) + _distance(strata, left, fraction)
        return len(left) == 0, int(is_lost.sum()), distance

    best = min(drawn, key=rate)
    is_nothing_left, _, _ = rate(best)
    if strata is None or not is_nothing_left:
        return best
    return _hold_out_one(groups, strata)


def _hold_out_one(groups: np.ndarray, strata: np.ndarray) -> _Rows:
    """Hold out a group that has no class or label of its own."""
    if strata.ndim == 1:
        rows, classes = np.arange(len(strata)), strata
    else:
        rows, classes = np.nonzero(strata)
    pairs = np.unique(np.c_[groups[rows], classes], axis=0)
    _, places, n_groups = np.unique(pairs[:, 1], return_index=True, return_counts=True)
    others = np.setdiff1d(groups, pairs[places[n_groups == 1], 0])
    if len(others) == 0:
        raise ValueError(
            "groups must include a group without a class or label of its own, since "
            "early stopping holds out whole groups and all classes must remain in "
            f"training. Got {len(np.unique(groups))} groups, and each has one that no "
            "other group has. Fit without groups, or set early_stopping=False."
        )
    is_held_out = groups == others[0]
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)


def _distance(strata: np.ndarray, held_out: np.ndarray, fraction: float) -> float:
    """Return the mean difference between the shares of the classes and the fraction."""
    if strata.ndim == 1:
        n_all = np.bincount(strata)
        n_held_out = np.bincount(strata[held_out], minlength=len(n_all))
    else:
        n_all, n_held_out = strata.sum(axis=0), strata[held_out].sum(axis=0)
    occurs = n_all > 0
    if not occurs.any():
        return 0.0
    return float(np.abs(n_held_out[occurs] / n_all[occurs] - fraction).mean())


def _split(
    rows: np.ndarray, strata: np.ndarray | None, fraction: float, seed: int | None
) -> _Rows:
    """Call scikit-learn's split, and replace its error messages.

    Without a seed the last rows are held out.
    """
    try:
        train, held_out = train_test_split(
            rows,
            test_size=fraction,
            shuffle=seed is not None,
            stratify=None if strata is None else strata[rows],
            random_state=seed,
        )
    except ValueError as error:
        small = "validation" if fraction <= 0.5 else "training"
        raise _too_small(small, fraction, len(rows), str(error)) from error
    return train, held_out


def _refuse_groups(groups: np.ndarray | None) -> None:
    if groups is not None:
        raise ValueError(
            "groups must be None with validation_split='last', since the last rows may "
            f"divide a group. Got groups for {len(groups)} samples. Fit without groups "
            "to hold out the last rows, or set validation_split='random' to hold out "
            "groups."
        )


def _too_small(small: str, fraction: float, n_rows: int, why: str) -> ValueError:
    change = "Increase" if small == "validation" else "Decrease"
    return ValueError(
        f"The {small} set is too small. {change} 'validation_fraction' or "
        "increase the size of your dataset. Got "
        f"validation_fraction={fraction:g} of {n_rows} samples: {why}"
    )


def _warn_of_rare(which: str, is_random: bool) -> None:
    why = "too few samples to be split" if is_random else "no samples in the other rows"
    warn_user(
        f"{which} have {why}, so all of their samples are used for training and none "
        "for validation. Provide more samples of them, or set early_stopping=False.",
        RareClassWarning,
    )
