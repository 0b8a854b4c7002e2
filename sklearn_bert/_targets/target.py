"""What all estimators make of y."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from sklearn_bert._engine.training.heads import LinearHead, Loss


@dataclass(frozen=True)
class Target:
    """The target of training.

    Attributes
    ----------
    y : ndarray or sparse matrix
        The validated y, which is passed to scorers.
    values : ndarray of shape (n,) or (n, n_outputs)
        Input of the loss.
    weights : ndarray of shape (n,)
        Weights of the samples, including class weights.
    strata : ndarray of shape (n,) or (n, n_outputs), or None
        Classes for a stratified validation split, or an indicator matrix for a random
        split.
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
        """Number of samples."""
        return len(self.weights)

    def count(self) -> dict[str, Any]:
        """Return how many samples are trained on, by the name of the attribute."""
        return {"n_samples_seen_": len(self.samples())}

    def samples(self) -> np.ndarray:
        """Return the rows of the samples with a positive weight."""
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

    def in_form_of_y(self, y: Any) -> Any:
        """Return the y of a validation set, or refuse what cannot be predicted."""
        if y.shape[1:] != self.y.shape[1:]:
            raise ValueError(
                "y_val must have the columns of y. Got y_val of shape "
                f"{y.shape} for y of shape {self.y.shape}. Pass it in the form of y."
            )
        return y

    def in_units_of_y(self, head: LinearHead) -> LinearHead:
        """Convert a head from the scale of training to the units of y."""
        return head

    def in_units_of_training(self, head: LinearHead) -> LinearHead:
        """Convert a head from the units of y to the scale of training."""
        return head
