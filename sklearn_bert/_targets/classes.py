"""What labels mean: the classes, what a loss takes, and the weights of the samples."""

from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.class_weight import compute_class_weight

from sklearn_bert._config import quote, shows_values
from sklearn_bert._engine.training.heads import SigmoidLoss, SoftmaxLoss
from sklearn_bert._inputs.values import show, show_each
from sklearn_bert._targets.target import Target

ClassWeight = dict[Any, float] | str | None


@dataclass(frozen=True)
class ClassTarget(Target):
    """A target whose values are class indices, or indicators of labels.

    Attributes
    ----------
    classes : ndarray of shape (n_outputs,)
        The sorted labels.
    """

    classes: np.ndarray

    def count(self) -> dict[str, Any]:
        """Return the number of samples, and those of each class."""
        used = self.values[self.weights > 0]
        counts = (
            np.bincount(used, minlength=self.n_outputs)
            if used.ndim == 1
            else used.sum(axis=0, dtype=np.float64).astype(np.int64)
        )
        return {**super().count(), "class_count_": counts}

    def in_form_of_y(self, y: Any) -> Any:
        """Refuse also labels that are not in training."""
        y = super().in_form_of_y(y)
        if y.ndim == 1:
            refuse_unseen(y, self.classes)
        return y


def read_classes(
    y: np.ndarray,
    weights: np.ndarray,
    known: np.ndarray | None,
    class_weight: ClassWeight,
    label_smoothing: float,
    noun: str = "class",
) -> ClassTarget:
    """Return the target of one label per text.

    Parameters
    ----------
    y : ndarray of shape (n,)
    weights : ndarray of shape (n,)
        Weights of the samples.
    known : ndarray of shape (n_classes,) or None
        All labels, sorted. None uses the labels of y, at least two.
    class_weight : dict, "balanced" or None
    label_smoothing : float
    noun : {"class", "tag"}
        What errors call a class.

    Raises
    ------
    ValueError
        If y contains unknown labels, or only one class.
    """
    classes = np.unique(y)
    if known is not None:
        if not np.isin(*_exact(classes, known)).all():
            raise ValueError(
                "`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{_show_classes(known)}. 'y' has {_show_classes(classes)}."
            )
        if len(known) < 2:
            raise ValueError(
                "classes must contain at least 2 labels. Got only one class: "
                f"{quote(known.tolist()[0])}. Pass all labels that occur in any call."
            )
        classes = known
    codes = np.searchsorted(*_exact(classes, y))
    _check_class_weight(class_weight)
    factors = _weights_of_classes(class_weight, classes, codes, weights)
    weights = weights * factors[codes]
    if not weights.any():
        raise ValueError(
            "class_weight and sample_weight must give some samples a positive weight. "
            f"Got class_weight={quote(class_weight)}. Raise a weight."
        )
    if known is None and len(np.unique(codes[weights > 0])) < 2:
        raise ValueError(
            f"y must contain more than one {noun} of positive weight. Got only one "
            f"{noun}: {quote(y[weights > 0].tolist()[0])}. Add samples of another "
            f"{noun}, or raise their weights."
        )
    return ClassTarget(
        # Of the dtype of the predictions, with which it is compared.
        y=classes[codes],
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
    """Return the target of an indicator matrix, see :func:`read_classes`."""
    classes = np.arange(y.shape[1])
    if known is not None and not np.array_equal(classes, known):
        raise ValueError(
            f"y must have one column per label. Got {len(classes)} columns for "
            f"classes={quote(known)}. Pass the column indices as classes: "
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


def check_same_classes(y: Any, before: np.ndarray | None) -> None:
    """Refuse a warm start from a fit with other classes."""
    classes = np.unique(y) if y.ndim == 1 else np.arange(y.shape[1])
    if before is not None and not is_same(before, classes):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the "
            f"previous call to fit. Previously got {_show_classes(before)}, `y` has "
            f"{_show_classes(classes)}"
        )


def refuse_unseen(labels: np.ndarray, classes: np.ndarray) -> None:
    """Raise an error for labels of a validation set that are not in training."""
    is_unseen = ~np.isin(*_exact(labels, classes))
    if is_unseen.any():
        unseen = list(dict.fromkeys(labels[is_unseen].tolist()))
        raise ValueError(
            "y_val must contain only labels of y, since no other label is predicted. "
            f"Got {show_each(unseen)}, {is_unseen.sum()} of {len(labels)} labels. Add "
            "such samples to X and y, or drop them from X_val and y_val."
        )


def is_same(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether two arrays contain the same labels in the same order."""
    return np.array_equal(*_exact(first, second))


def _show_classes(classes: np.ndarray) -> str:
    """Format classes as scikit-learn does."""
    return str(classes) if shows_values() else show_each(classes)


def _exact(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return arrays that NumPy compares without rounding.

    It compares signed with unsigned integers, and integers with floats, as floats, in
    which large integers are equal to their neighbors, and numbers with texts as texts.
    """
    if first.dtype.kind != second.dtype.kind:
        return first.astype(object), second.astype(object)
    return first, second


def _check_class_weight(class_weight: ClassWeight) -> None:
    if not isinstance(class_weight, dict):
        return
    for label, weight in class_weight.items():
        if not (isinstance(weight, Real) and 0 <= weight < np.inf):
            raise ValueError(
                "class_weight must contain finite weights that are not negative. Got "
                f"{show(weight)} for {show(label)}. Use 0 or more."
            )


def _weights_of_classes(
    class_weight: ClassWeight,
    classes: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    if class_weight == "balanced":
        # Unlike scikit-learn before version 1.7, a sample of weight 2 counts as two
        # samples.
        totals = np.bincount(codes, weights, minlength=len(classes))
        mean = totals.sum() / np.count_nonzero(totals)
        return mean / np.where(totals > 0, totals, np.inf)
    with suppress(ValueError):
        return compute_class_weight(class_weight, classes=classes, y=classes[codes])
    # Raised here, since the other error quotes labels.
    assert isinstance(class_weight, dict)
    raise ValueError(
        "class_weight must have labels of y as keys. Got the keys "
        f"{show_each(class_weight)} for the labels {show_each(classes.tolist())}. "
        "Correct the keys; a label without a key has weight 1."
    )


def _weights_of_labels(
    class_weight: ClassWeight, values: np.ndarray, weights: np.ndarray
) -> tuple[float, ...] | None:
    """Return the factor of the loss of each label for the texts that have it."""
    if class_weight is None:
        return None
    if class_weight == "balanced":
        on = weights @ values
        off = weights.sum() - on
        # A constant label cannot be balanced.
        ratios = np.where((on > 0) & (off > 0), off / np.where(on > 0, on, 1), 1)
        return tuple(ratios.tolist())
    assert isinstance(class_weight, dict)
    n_labels = values.shape[1]
    unknown = [label for label in class_weight if label not in range(n_labels)]
    if unknown:
        raise ValueError(
            "class_weight must have the column indices of y, counted from 0, as keys. "
            f"Got the keys {quote(unknown)} for {n_labels} columns. Correct the keys."
        )
    return tuple(float(class_weight.get(label, 1)) for label in range(n_labels))
