"""The folds of cross-fitting, in each of which every sample is held out once."""

from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from sklearn_bert._inputs.values import call_hiding_values, show

# By whether the folds are stratified, and whether there are groups.
_SPLITTERS = {
    (False, False): KFold,
    (False, True): GroupKFold,
    (True, False): StratifiedKFold,
    (True, True): StratifiedGroupKFold,
}
_Folds = list[tuple[np.ndarray, np.ndarray]]


def draw_folds(
    cv: Any,
    y: Any,
    weights: np.ndarray,
    groups: np.ndarray | None,
    seed: int,
    *,
    is_stratified: bool,
) -> _Folds:
    """Return the rows of each fold.

    Parameters
    ----------
    cv : int or cross-validation splitter
        The number of folds, which are shuffled and keep groups together, or what
        splits.
    y : ndarray or sparse matrix of shape (n_samples,) or (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,)
        Samples of weight 0 are not trained on.
    groups : ndarray of shape (n_samples,) or None
    seed : int
    is_stratified : bool
        Whether y has classes, of which each fold has its share and training needs two.

    Returns
    -------
    list of (train, test), each an ndarray of row numbers

    Raises
    ------
    ValueError
        If there are too few samples or groups, a sample is not in exactly one of the
        test sets, a sample or a group is on both sides of a fold, or a training set has
        no weight or only one class.
    """
    n_samples = y.shape[0]
    splitter = cv
    if isinstance(cv, int | np.integer):
        kind = _SPLITTERS[is_stratified, groups is not None]
        splitter = kind(int(cv), shuffle=True, random_state=seed)
    rows = np.arange(n_samples)
    try:
        pairs = call_hiding_values(splitter.split, np.empty(n_samples), y, groups)
        # A splitter may give masks, lists, or rows counted from the end.
        folds = [(rows[np.asarray(a)], rows[np.asarray(b)]) for a, b in pairs]
    except (ValueError, IndexError) as error:
        raise ValueError(
            "cv must be a number of folds into which the samples, or their groups, can "
            f"be split. Got cv={cv!r} for {n_samples} samples: "
            f"{str(error).rstrip('.')}. Lower cv, or provide more samples or groups."
        ) from error
    _check_test_sets(folds, cv, n_samples)
    for number, (train, test) in enumerate(folds, 1):
        fold = f"fold {number} of {len(folds)} of cv={cv!r}"
        _check_apart(train, test, groups, fold)
        used = train[weights[train] > 0]
        _check_training_set(y[used] if is_stratified else None, len(used), fold)
    return folds


def _check_test_sets(folds: _Folds, cv: Any, n_samples: int) -> None:
    held_out = np.concatenate([np.arange(0), *(test for _, test in folds)])
    if not np.array_equal(np.sort(held_out), np.arange(n_samples)):
        raise ValueError(
            f"cv must hold out each sample exactly once. Got cv={cv!r}, which holds "
            f"out {len(np.unique(held_out))} of {n_samples} samples, {len(held_out)} "
            "times in total. Pass a number of folds, or a splitter such as KFold, but "
            "not TimeSeriesSplit, ShuffleSplit or a repeated one."
        )


def _check_apart(
    train: np.ndarray, test: np.ndarray, groups: np.ndarray | None, fold: str
) -> None:
    """Refuse a fold in which an encoder would have seen what it predicts."""
    n_shared = int(np.isin(test, train).sum())
    if n_shared:
        raise ValueError(
            "cv must not train on samples that it holds out. Got "
            f"{n_shared} samples on both sides of {fold}. Pass a number of folds, or "
            "correct the splitter: training and test sets must not overlap."
        )
    if groups is None:
        return
    n_divided = len(np.intersect1d(groups[test], groups[train]))
    if n_divided:
        raise ValueError(
            f"cv must keep groups together. Got {n_divided} groups on both sides of "
            f"{fold}. Pass a number of folds, GroupKFold or another splitter that "
            "reads groups, or leave out groups."
        )


def _check_training_set(labels: np.ndarray | None, n_used: int, fold: str) -> None:
    """Refuse a fold that leaves nothing to train on, or a single class."""
    if n_used == 0:
        raise ValueError(
            "Each fold must train on samples of positive weight. Got none in the "
            f"training set of {fold}. Raise sample_weight, or pass another cv."
        )
    if labels is not None and len(np.unique(labels)) < 2:
        raise ValueError(
            "Each fold must train on more than one class of positive weight. Got only "
            f"{show(labels.tolist()[0])} in the training set of {fold}. Add samples of "
            "other classes, raise their weights, or pass a cv that divides each class, "
            "such as StratifiedKFold; with groups, several must have each class."
        )
