"""The folds of cross-fitting, in each of which every sample is held out once."""

from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from sklearn_bert._inputs.values import call_hiding_values

# By whether the folds are stratified, and whether there are groups.
_SPLITTERS = {
    (False, False): KFold,
    (False, True): GroupKFold,
    (True, False): StratifiedKFold,
    (True, True): StratifiedGroupKFold,
}
_Folds = list[tuple[np.ndarray, np.ndarray]]


def draw_folds(
    cv: Any, y: Any, groups: np.ndarray | None, seed: int, *, is_stratified: bool
) -> _Folds:
    """Return the rows of each fold.

    Parameters
    ----------
    cv : int or cross-validation splitter
        The number of folds, which are shuffled and keep groups together, or what
        splits.
    y : ndarray or sparse matrix of shape (n_samples,) or (n_samples, n_outputs)
    groups : ndarray of shape (n_samples,) or None
    seed : int
    is_stratified : bool
        Whether y has classes of which each fold has its share.

    Returns
    -------
    list of (train, test), each an ndarray of row numbers

    Raises
    ------
    ValueError
        If there are too few samples or groups, or a sample is not in exactly one of the
        test sets.
    """
    n_samples = y.shape[0]
    splitter = cv
    if isinstance(cv, int | np.integer):
        kind = _SPLITTERS[is_stratified, groups is not None]
        splitter = kind(int(cv), shuffle=True, random_state=seed)
    try:
        folds = list(call_hiding_values(splitter.split, np.empty(n_samples), y, groups))
    except ValueError as error:
        raise ValueError(
            "cv must be a number of folds into which the samples, or their groups, can "
            f"be split. Got cv={cv!r} for {n_samples} samples: {error}"
        ) from error
    held_out = np.concatenate([test for _, test in folds])
    if not np.array_equal(np.sort(held_out), np.arange(n_samples)):
        raise ValueError(
            f"cv must hold out each sample exactly once. Got cv={cv!r}, which holds "
            f"out {len(np.unique(held_out))} of {n_samples} samples, {len(held_out)} "
            "times in total. Pass a number of folds, or a splitter such as KFold, but "
            "not TimeSeriesSplit, ShuffleSplit or a repeated one."
        )
    return folds
