"""Scoring of the validation split during training."""

from math import isnan
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.metrics import check_scoring

from sklearn_bert._engine.training.heads import Loss, SigmoidLoss
from sklearn_bert._fine_tuning.validation import ValidationSet
from sklearn_bert._inputs.values import call_hiding_values, show
from sklearn_bert.exceptions import NonFiniteError


class LossScorer:
    """A scorer of classifiers with several labels: minus the loss of training.

    Unlike average precision, it is defined whatever the validation split contains:
    a label that no text or every text has, or texts without any label.
    """

    def __init__(self, loss: SigmoidLoss) -> None:
        self._loss = loss

    def __call__(
        self, estimator: Any, X: Any, y: Any, sample_weight: np.ndarray | None = None
    ) -> float:
        """Return the score of the current weights; higher is better."""
        indicators = y.toarray() if sparse.issparse(y) else y
        outputs = torch.as_tensor(estimator.decision_function(X))
        losses = self._loss(outputs, torch.as_tensor(indicators, dtype=outputs.dtype))
        return -float(np.average(losses.numpy(), weights=sample_weight))


class HoldoutScorer:
    """Scores an estimator on the validation split.

    Parameters
    ----------
    estimator : object
        Its methods use the current weights.
    validation : ValidationSet
        Its weights are passed to scorers that support ``sample_weight``.
    loss : Loss
        The loss of training.
    """

    def __init__(self, estimator: Any, validation: ValidationSet, loss: Loss) -> None:
        self._estimator = estimator
        scoring = estimator.scoring
        # The score of several labels counts texts with all labels correct, of which
        # there may be none for many epochs.
        if scoring is None and isinstance(loss, SigmoidLoss):
            scoring = LossScorer(loss)
        self._scorer = check_scoring(estimator, scoring=scoring)
        self._X, self._y = validation.inputs.to_list(), validation.y
        self._is_part, weights = validation.is_part, validation.weights
        self._options = {} if weights is None else {"sample_weight": weights}

    def __call__(self) -> float:
        """Return the score of the current weights.

        Raises
        ------
        ValueError
            If the scorer does not return a number.
        """
        return self._as_float(self._score())

    def check(self) -> None:
        """Score once, to raise errors before training.

        Raises
        ------
        ValueError
            If the scorer fails on the validation split, or returns NaN, or no number.
        NonFiniteError
            If the outputs for the validation split are NaN or infinite.
        """
        try:
            score = self._try()
        except ValueError as error:
            raise self._scoring_error(f"It failed with: {error}") from error
        except NonFiniteError as error:
            raise NonFiniteError(
                f"Within the {len(self._X)} samples of the validation split: {error}"
            ) from error
        if isnan(self._as_float(score)):
            raise self._scoring_error("It returned nan")

    def _try(self) -> Any:
        try:
            return self._score()
        except TypeError:
            if not self._options:
                raise
            # A scorer without sample weights, which cannot be known from the public
            # API.
            self._options = {}
            return self._score()

    def _score(self) -> Any:
        return call_hiding_values(
            self._scorer, self._estimator, self._X, self._y, **self._options
        )

    def _as_float(self, score: Any) -> float:
        try:
            return float(score)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"scoring must return a number. Got {show(score)} from "
                f"scoring={self._estimator.scoring!r}. Return one number, such as "
                "the mean of several."
            ) from error

    def _scoring_error(self, what: str) -> ValueError:
        return ValueError(
            "scoring must be able to score the validation split of early stopping. "
            f"Got scoring={self._estimator.scoring!r} for {len(self._X)} samples. "
            f"{what.rstrip('.')}. {self._remedy(what)}, or set early_stopping=False."
        )

    def _remedy(self, what: str) -> str:
        # Metrics of one of two classes take 1 for it, which labels need not be.
        if "pos_label" in what:
            return (
                "Pass a scorer that names one of the two classes, such as "
                "make_scorer(f1_score, pos_label=...)"
            )
        so_that, remedy = "", "Pass more samples as X_val and y_val"
        if hasattr(self._estimator, "classes_"):
            so_that = ", so that the validation split contains each class"
        if self._is_part:
            remedy = "Raise validation_fraction or provide more samples"
        return f"{remedy}{so_that}, choose another scoring"
