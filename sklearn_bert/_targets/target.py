"""What all estimators make of y."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from sklearn_bert._engine.training.heads import LinearHead, Loss


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
