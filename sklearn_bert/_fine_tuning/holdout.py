"""The validation split used for early stopping."""

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import RareClassWarning


def hold_out(
    rows: np.ndarray, strata: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into training and validation rows.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Row numbers.
    strata : ndarray of shape (n,) or (n, n_labels), or None
        The class of each row, for a stratified split, or an indicator matrix, for a
        random split. All rows of a class or label that would be missing from training
        are used for training, with one warning.
    fraction : float
        Fraction of validation rows.
    seed : int

    Returns
    -------
    train, held_out : ndarray
        Row numbers.

    Raises
    ------
    ValueError
        If there are too few rows.
    """
    if strata is None:
        train, held_out = _split(np.arange(len(rows)), None, fraction, seed)
    elif strata.ndim == 1:
        train, held_out = _hold_out_classes(strata, fraction, seed)
    else:
        train, held_out = _hold_out_labels(strata, fraction, seed)
    return rows[np.sort(train)], rows[np.sort(held_out)]


def _hold_out_classes(
    strata: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split stratified by class."""
    _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
    is_alone = counts[codes] == 1
    train, held_out = _split(np.flatnonzero(~is_alone), strata, fraction, seed)
    is_lost = ~np.isin(strata[held_out], strata[train])
    n_rare = len(set(strata[held_out[is_lost]])) + int((counts == 1).sum())
    _warn_of_rare(n_rare, len(counts), "classes")
    train = np.concatenate([train, held_out[is_lost], np.flatnonzero(is_alone)])
    return train, held_out[~is_lost]


def _hold_out_labels(
    indicators: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split at random, but keep labels in training that would be lost."""
    train, held_out = _split(np.arange(len(indicators)), None, fraction, seed)
    is_on = indicators > 0
    is_rare = is_on.any(axis=0) & ~is_on[train].any(axis=0)
    is_lost = is_on[held_out][:, is_rare].any(axis=1)
    if is_lost.all():
        why = "all of the selected rows have labels that no other row has"
        raise _too_small("validation", fraction, len(indicators), why)
    _warn_of_rare(int(is_rare.sum()), indicators.shape[1], "labels")
    return np.concatenate([train, held_out[is_lost]]), held_out[~is_lost]


def _split(
    rows: np.ndarray, strata: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Call scikit-learn's split, and replace its error messages."""
    try:
        train, held_out = train_test_split(
            rows,
            test_size=fraction,
            stratify=None if strata is None else strata[rows],
            random_state=seed,
        )
    except ValueError as error:
        small = "validation" if fraction <= 0.5 else "training"
        raise _too_small(small, fraction, len(rows), str(error)) from error
    return train, held_out


def _too_small(small: str, fraction: float, n_rows: int, why: str) -> ValueError:
    change = "Increase" if small == "validation" else "Decrease"
    return ValueError(
        f"The {small} set is too small. {change} 'validation_fraction' or "
        "increase the size of your dataset. Got "
        f"validation_fraction={fraction:g} of {n_rows} samples: {why}"
    )


def _warn_of_rare(n_rare: int, n_all: int, what: str) -> None:
    if not n_rare:
        return
    warn_user(
        f"{n_rare} of {n_all} {what} have too few samples to be split, so all of their "
        "samples are used for training and none for validation. Provide more samples "
        "of them, or set early_stopping=False.",
        RareClassWarning,
    )
