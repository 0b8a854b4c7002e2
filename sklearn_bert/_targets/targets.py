"""What y means: from labels to what a loss takes, and the weights of the samples."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.utils.class_weight import compute_class_weight

from sklearn_bert._engine.training.heads import (
    LinearHead,
    Loss,
    NumberLoss,
    SigmoidLoss,
    SoftmaxLoss,
)

ClassWeight = dict[Any, float] | str | None


@dataclass(frozen=True)
class Target:
    """What an estimator makes of y.

    Attributes
    ----------
    y : ndarray or sparse matrix
        As it was checked; what a scorer is given.
    values : ndarray of shape (n,) or (n, n_outputs)
        As the loss takes it.
    weights : ndarray of shape (n,)
        Of the samples, class weights included.
    strata : ndarray of shape (n,) or (n, n_outputs), or None
        Of what a validation split must leave some in training: classes, which it
        keeps in proportion, or labels as an indicator matrix.
    n_outputs : int
    loss : Loss
    """

    y: Any
    values: np.ndarray
    weights: np.ndarray
    strata: np.ndarray | None
    n_outputs: int
    loss: Loss

    @property
    def n_samples(self) -> int:
        """Number of the samples."""
        return len(self.weights)

    def samples(self) -> np.ndarray:
        """Return which samples have a weight: their row numbers."""
        return np.flatnonzero(self.weights)

    def take(self, rows: np.ndarray) -> Self:
        """Return the target of some samples."""
        return replace(
            self,
            y=self.y[rows],
            values=self.values[rows],
            weights=self.weights[rows],
            strata=None if self.strata is None else self.strata[rows],
        )

    def in_units_of_y(self, head: LinearHead) -> LinearHead:
        """Return what gives in y's units what a layer in training gives."""
        return head

    def in_units_of_training(self, head: LinearHead) -> LinearHead:
        """Return the layer in training that a head in y's units stands for."""
        return head


@dataclass(frozen=True)
class ClassTarget(Target):
    """A target whose values are the numbers of classes, or indicators of labels.

    Attributes
    ----------
    classes : ndarray of shape (n_outputs,)
        The labels, sorted.
    """

    classes: np.ndarray


@dataclass(frozen=True)
class NumberTarget(Target):
    """A target whose values are numbers, scaled for the training.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        What was subtracted from y, and what it was then divided by.
    is_constant : ndarray of shape (n_outputs,), bool
    """

    mean: np.ndarray
    scale: np.ndarray
    is_constant: np.ndarray

    def in_units_of_y(self, head: LinearHead) -> LinearHead:
        """Return the head of unscaled numbers."""
        return head.rescaled(self.scale, self.mean)

    def in_units_of_training(self, head: LinearHead) -> LinearHead:
        """Return the head of scaled numbers."""
        scale = 1 / self.scale
        return head.rescaled(scale, -self.mean * scale)


def read_classes(
    y: np.ndarray,
    weights: np.ndarray,
    known: np.ndarray | None,
    class_weight: ClassWeight,
    label_smoothing: float,
) -> ClassTarget:
    """Return what one label per text means.

    Parameters
    ----------
    y : ndarray of shape (n,)
    weights : ndarray of shape (n,)
        Of the samples.
    known : ndarray of shape (n_classes,) or None
        All labels there may be, sorted. None takes those of y, at least two.
    class_weight : dict, "balanced" or None
    label_smoothing : float

    Raises
    ------
    ValueError
        If y holds other labels than the known ones, or one class only.
    """
    classes = np.unique(y)
    if known is not None:
        if not np.isin(classes, known).all():
            raise ValueError(
                "`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{known}. 'y' has {classes}."
            )
        if len(known) < 2:
            raise ValueError(
                "classes must hold at least 2 labels. Got only one class: "
                f"{known.tolist()[0]!r}. Give all labels that will ever come."
            )
        classes = known
    codes = np.searchsorted(classes, y)
    _check_class_weight(class_weight)
    factors = _weights_of_classes(class_weight, classes, codes, weights)
    weights = weights * factors[codes]
    if not weights.any():
        raise ValueError(
            "class_weight and sample_weight must leave some samples a weight over 0. "
            f"Got class_weight={class_weight!r}. Raise a weight."
        )
    if known is None and len(np.unique(codes[weights > 0])) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data "
            f"contains only one class: {y[weights > 0].tolist()[0]!r}"
        )
    return ClassTarget(
        y=y,
        values=codes.astype(np.int64),
        weights=weights,
        strata=codes,
        n_outputs=len(classes),
        loss=SoftmaxLoss(label_smoothing),
        classes=classes,
    )


def read_indicators(
    y: Any,
    weights: np.ndarray,
    known: np.ndarray | None,
    class_weight: ClassWeight,
    label_smoothing: float,
) -> ClassTarget:
    """Return what an indicator matrix means; parameters as in :func:`read_classes`."""
    classes = np.arange(y.shape[1])
    if known is not None and not np.array_equal(classes, known):
        raise ValueError(
            f"y must have one column per label. Got {len(classes)} columns for "
            f"classes={known!r}. Give the columns' numbers as classes: "
            f"range({len(classes)})."
        )
    values = (y.toarray() if sparse.issparse(y) else y).astype(np.float32)
    _check_class_weight(class_weight)
    pos_weight = _weights_of_labels(class_weight, values, weights)
    return ClassTarget(
        y=y,
        values=values,
        weights=weights,
        strata=values,
        n_outputs=len(classes),
        loss=SigmoidLoss(label_smoothing, pos_weight),
        classes=classes,
    )


def read_numbers(
    y: np.ndarray,
    weights: np.ndarray,
    known: tuple[np.ndarray, np.ndarray] | None,
    loss: str,
) -> NumberTarget:
    """Return what numbers mean: they are scaled to mean 0 and standard deviation 1.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, n_outputs), float64
    weights : ndarray of shape (n,)
        Of the samples.
    known : tuple of two ndarray of shape (n_outputs,), or None
        Mean and standard deviation to scale by. None takes those of y.
    loss : {"squared_error", "absolute_error", "huber"}
    """
    columns = y.reshape(len(y), -1)
    mean, scale = _mean_and_scale(columns, weights) if known is None else known
    return NumberTarget(
        y=y,
        values=(columns - mean) / scale,
        weights=weights,
        strata=None,
        n_outputs=columns.shape[1],
        loss=NumberLoss(loss),
        mean=mean,
        scale=scale,
        is_constant=np.ptp(columns[weights > 0], axis=0) == 0,
    )


def _mean_and_scale(
    columns: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean and standard deviation; 1 for constant columns."""
    # What has no weight may be anything.
    columns, weights = columns[weights > 0], weights[weights > 0]
    # In units in which the square of the largest number is still a number.
    largest = np.abs(columns).max(axis=0)
    largest[largest == 0] = 1
    shares = columns / largest
    mean = np.average(shares, axis=0, weights=weights)
    scale = np.sqrt(np.average((shares - mean) ** 2, axis=0, weights=weights))
    # What a constant deviates from its own mean is rounding.
    is_constant = scale <= 10 * np.finfo(np.float64).eps
    return mean * largest, np.where(is_constant, 1, scale * largest)


def check_same_classes(y: Any, before: np.ndarray | None) -> None:
    """Refuse to go on, in a warm start, from a fit with other classes."""
    classes = np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])
    if before is not None and not np.array_equal(before, classes):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the "
            f"previous call to fit. Previously got {before}, `y` has {classes}"
        )


def _check_class_weight(class_weight: ClassWeight) -> None:
    if not isinstance(class_weight, dict):
        return
    for label, weight in class_weight.items():
        if not (np.isfinite(weight) and weight >= 0):
            raise ValueError(
                "class_weight must hold finite weights that are not negative. Got "
                f"{weight!r} for {label!r}. Give 0 or more."
            )


def _weights_of_classes(
    class_weight: ClassWeight,
    classes: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    if class_weight == "balanced":
        # Unlike scikit-learn's before version 1.7, it counts a weight as so many
        # samples.
        totals = np.bincount(codes, weights, minlength=len(classes))
        mean = totals.sum() / np.count_nonzero(totals)
        return mean / np.where(totals > 0, totals, np.inf)
    return compute_class_weight(class_weight, classes=classes, y=classes[codes])


def _weights_of_labels(
    class_weight: ClassWeight, values: np.ndarray, weights: np.ndarray
) -> tuple[float, ...] | None:
    """Return the factor of each label's loss where it is on."""
    if class_weight is None:
        return None
    if class_weight == "balanced":
        on = weights @ values
        off = weights.sum() - on
        # A label that is always on, or never, cannot be balanced.
        ratios = np.where((on > 0) & (off > 0), off / np.where(on > 0, on, 1), 1)
        return tuple(ratios.tolist())
    assert isinstance(class_weight, dict)
    n_labels = values.shape[1]
    unknown = [label for label in class_weight if label not in range(n_labels)]
    if unknown:
        raise ValueError(
            "class_weight must have the numbers of y's columns as keys, counted from "
            f"0. Got the keys {unknown} for {n_labels} columns. Correct the keys."
        )
    return tuple(float(class_weight.get(label, 1)) for label in range(n_labels))
