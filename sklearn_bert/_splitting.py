"""The split that early stopping holds out."""

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_bert._warnings import warn_user
from sklearn_bert.exceptions import RareClassWarning


def hold_out(
    rows: np.ndarray, strata: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into those to train on and those to validate with.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Row numbers.
    strata : ndarray of shape (n,) or None
        The class of each row. The split keeps their proportions, and a class that it
        would take away from the training altogether stays there, with one warning.
    fraction : float
        Share of the rows to validate with.
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
    splittable = np.ones(len(rows), dtype=bool)
    if strata is not None:
        _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
        splittable = counts[codes] > 1
    try:
        train, held_out = train_test_split(
            np.flatnonzero(splittable),
            test_size=fraction,
            stratify=None if strata is None else strata[splittable],
            random_state=seed,
        )
    except ValueError as error:
        small, change = ("validation", "Increase")
        if fraction > 0.5:
            small, change = ("training", "Decrease")
        raise ValueError(
            f"The {small} set is too small. {change} 'validation_fraction' or "
            "increase the size of your dataset. Got "
            f"validation_fraction={fraction:g} of {len(rows)} samples: {error}"
        ) from error
    if strata is not None:
        is_lost = ~np.isin(strata[held_out], strata[train])
        n_classes = len(set(strata[held_out[is_lost]])) + int((counts == 1).sum())
        train = np.concatenate([train, held_out[is_lost], np.flatnonzero(~splittable)])
        held_out = held_out[~is_lost]
        if n_classes:
            warn_user(
                f"{n_classes} of {len(counts)} classes have too few samples to be "
                "split, so all of their samples are trained on and none is in the "
                "validation score. Give more samples of them, or set "
                "early_stopping=False.",
                RareClassWarning,
            )
    return rows[np.sort(train)], rows[np.sort(held_out)]
