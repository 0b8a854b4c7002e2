"""Which output of an estimator is explained: the one of a target, for each kind."""

from numbers import Integral
from typing import Any

import numpy as np

from sklearn_bert._classifier import BertClassifier
from sklearn_bert._config import quote
from sklearn_bert._engine.attribution.methods import Explained
from sklearn_bert._inputs.values import show
from sklearn_bert._regressor import BertRegressor
from sklearn_bert._token_classifier import BertTokenClassifier


class ClassOfText:
    """The score of one class, or one label, of each text.

    Parameters
    ----------
    estimator : BertClassifier
    target : object
        As in `token_attributions`.
    n_texts : int
    """

    def __init__(self, estimator: BertClassifier, target: Any, n_texts: int) -> None:
        self._classes = estimator.classes_
        self._has_log_odds = len(self._classes) == 2 and not estimator.is_multilabel_
        self._codes: list[int | None] = [None] * n_texts
        if target is not None:
            is_one = isinstance(target, str) or np.ndim(target) == 0
            targets = [target] * n_texts if is_one else list(target)
            if len(targets) != n_texts:
                raise ValueError(
                    "target must be one class, or one for each text. Got "
                    f"{len(targets)} for {n_texts} texts. Pass as many as texts."
                )
            self._codes = [_find(one, self._classes) for one in targets]

    def choose(self, row: int, outputs: np.ndarray) -> Explained:
        """Return what is explained of the outputs of a text."""
        code = self._codes[row]
        if code is None:
            code = int(outputs[0].argmax())
        weights = _one_hot([code], len(self._classes))
        if self._has_log_odds:
            weights[0, 1 - code] = -1
        return Explained(np.array([0]), weights)

    def name(self, explained: Explained) -> np.ndarray:
        """Return the class, as an array of one."""
        return self._classes[explained.weights.argmax(axis=1)]


class NumberOfText:
    """One of the predicted numbers of each text.

    Parameters
    ----------
    estimator : BertRegressor
    target : object
        As in `token_attributions`.
    """

    def __init__(self, estimator: BertRegressor, target: Any) -> None:
        self._n_outputs = n_outputs = estimator.n_outputs_
        if target is None and n_outputs == 1:
            target = 0
        is_valid = isinstance(target, Integral) and not isinstance(target, bool)
        if not is_valid or not 0 <= target < n_outputs:
            raise ValueError(
                "target must be the position of one of the targets of the regressor, "
                f"from 0 to {n_outputs - 1}. Got {show(target)}. Call once for each of "
                "them."
            )
        self._target = int(target)

    def choose(self, row: int, outputs: np.ndarray) -> Explained:
        """Return what is explained of the outputs of a text."""
        return Explained(np.array([0]), _one_hot([self._target], self._n_outputs))

    def name(self, explained: Explained) -> np.ndarray:
        """Return the position of the target, as an array of one."""
        return np.array([self._target])


class TagsOfWords:
    """The score of one tag for every word of each sentence, or for one of the words.

    Parameters
    ----------
    estimator : BertTokenClassifier
    target : object
        As in `token_attributions`.
    position : int or None
    """

    def __init__(
        self, estimator: BertTokenClassifier, target: Any, position: int | None
    ) -> None:
        self._estimator, self._position = estimator, position
        self._classes = estimator.classes_
        self._code = None if target is None else _find(target, self._classes)

    def choose(self, row: int, outputs: np.ndarray) -> Explained:
        """Return what is explained of the outputs of a sentence."""
        rows = np.arange(len(outputs))
        if self._position is not None:
            if self._position >= len(outputs):
                raise ValueError(
                    "position must be that of a word in every sentence. Got "
                    f"{self._position}, and sentence {row} has {len(outputs)} words. "
                    "Pass only sentences that have such a word."
                )
            rows = rows[[self._position]]
        if self._code is None:
            (tags,) = self._estimator._best_tags([outputs])
            codes = [_find(tags[word], self._classes) for word in rows]
        else:
            codes = [self._code] * len(rows)
        return Explained(rows, _one_hot(codes, len(self._classes)))

    def name(self, explained: Explained) -> np.ndarray:
        """Return the tags of the explained words."""
        return self._classes[explained.weights.argmax(axis=1)]


Target = ClassOfText | NumberOfText | TagsOfWords


def read_target(estimator: Any, target: Any, position: int | None, n: int) -> Target:
    """Check the target of a fitted estimator for ``n`` samples."""
    if isinstance(estimator, BertTokenClassifier):
        return TagsOfWords(estimator, target, position)
    if position is not None:
        raise ValueError(
            "position must be None unless the estimator tags words. Got "
            f"{position} for a {type(estimator).__name__}. Leave it out."
        )
    if isinstance(estimator, BertRegressor):
        return NumberOfText(estimator, target)
    return ClassOfText(estimator, target, n)


def _find(label: Any, classes: np.ndarray) -> int:
    """Return the position of a class."""
    found = [code for code, known in enumerate(classes.tolist()) if known == label]
    if not found:
        raise ValueError(
            f"target must be one of the classes, {quote(classes.tolist())}. Got "
            f"{show(label)}. Pass one of them, or None for what is predicted."
        )
    return found[0]


def _one_hot(codes: Any, n_outputs: int) -> np.ndarray:
    return np.eye(n_outputs)[np.asarray(codes, dtype=np.int64)]
