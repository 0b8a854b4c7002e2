"""How early stopping scores the weights in the middle of a training."""

from math import isnan
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring

from sklearn_bert._engine.text.inputs import Inputs


class HoldoutScorer:
    """Scores an estimator on the texts held out.

    Parameters
    ----------
    estimator : object
        Whose methods read the weights of the moment.
    texts : Inputs
    y : ndarray or sparse matrix
    weights : ndarray of shape (n_samples,) or None
        Given to scorers that take a sample_weight.
    """

    def __init__(
        self, estimator: Any, texts: Inputs, y: Any, weights: np.ndarray | None
    ) -> None:
        self._estimator = estimator
        self._scorer = check_scoring(estimator, scoring=estimator.scoring)
        self._X = texts.to_list()
        self._y = y
        self._options = {} if weights is None else {"sample_weight": weights}

    def __call__(self) -> float:
        """Return the score of the weights of the moment."""
        return float(self._scorer(self._estimator, self._X, self._y, **self._options))

    def check(self) -> None:
        """Score once, so that what cannot be scored is told before the training.

        Raises
        ------
        ValueError
            If the scorer refuses the texts held out, or has no score for them.
        """
        try:
            score = self._try()
        except ValueError as error:
            raise self._scoring_error(f"It failed with: {error}") from error
        if isnan(score):
            raise self._scoring_error("It gave nan")

    def _try(self) -> float:
        try:
            return self()
        except TypeError:
            if not self._options:
                raise
            # A scorer that takes no weights, which nothing public tells beforehand.
            self._options = {}
            return self()

    def _scoring_error(self, what: str) -> ValueError:
        so_that = ""
        if hasattr(self._estimator, "classes_"):
            so_that = ", so that each class is among those held out"
        return ValueError(
            "scoring must be able to score the samples that early stopping holds out. "
            f"Got scoring={self._estimator.scoring!r} for {len(self._X)} samples. "
            f"{what}. Raise validation_fraction or give more samples{so_that}, choose "
            "another scoring, or set early_stopping=False."
        )
