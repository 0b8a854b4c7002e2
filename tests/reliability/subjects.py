"""One estimator of each kind with samples, and the methods that faults are tried in."""

import copy
import pickle
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)

TEXTS = ["a good film", "the bad plot", "good music", "bad and dull"]
WORDS = [text.split() for text in TEXTS]
TAGS = [["A", *["B"] * (len(words) - 1)] for words in WORDS]
MASKED = ["a good [MASK]", "the [MASK]"]
# Repeatable to the last digits, also if a batch is computed in parts.
EXACT = {"dtype": "float64", "random_state": 0}
TUNED = {**EXACT, "n_epochs": 1, "dropout": 0.0}
# These methods need y.
WITH_Y = ("fit", "partial_fit", "score")


@dataclass(frozen=True)
class Subject:
    """An estimator with data that suit it.

    Attributes
    ----------
    kind : type
    X : list
    y : list or None
    learning, answering : tuple of str
        The methods that change the estimator, and those that do not.
    params : dict
    other_X : dict of str to list
        The X of methods that need another one.
    """

    kind: type
    X: list[Any]
    y: Any
    learning: tuple[str, ...]
    answering: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    other_X: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self):
        return self.kind.__name__

    def make(self, model, **changes):
        return self.kind(model, **{**self.params, **changes})

    def fitted(self, model, **changes):
        return self.make(model, **changes).fit(self.X, self.y)

    def call(self, estimator, method, X=None, y=None):
        """Call a method with samples, by default the subject's own."""
        X = self.other_X.get(method, self.X) if X is None else X
        y = self.y if y is None else y
        if method == "partial_fit" and self.kind is BertClassifier:
            return estimator.partial_fit(X, y, classes=[0, 1])
        if self.y is not None and method in WITH_Y:
            return getattr(estimator, method)(X, y)
        return getattr(estimator, method)(X)

    def answers(self, estimator):
        """Return what all methods answer about the samples, as plain lists."""
        return {
            method: plain(self.call(estimator, method)) for method in self.answering
        }


SUBJECTS = [
    Subject(
        BertVectorizer, TEXTS, None, ("fit",), ("transform",), {"dtype": "float64"}
    ),
    Subject(
        BertClassifier,
        TEXTS,
        [0, 1, 0, 1],
        ("fit", "partial_fit"),
        (
            "predict",
            "predict_proba",
            "predict_log_proba",
            "decision_function",
            "transform",
            "score",
        ),
        # The texts of a batch that memory splits are not compared with each other.
        {**TUNED, "contrastive": 0},
    ),
    Subject(
        BertRegressor,
        TEXTS,
        [0.0, 1.0, 2.0, 3.0],
        ("fit", "partial_fit"),
        ("predict", "transform", "score"),
        TUNED,
    ),
    Subject(
        BertTokenClassifier,
        WORDS,
        TAGS,
        ("fit",),
        ("predict", "predict_proba", "decision_function", "score"),
        TUNED,
    ),
    Subject(
        BertMaskedLM,
        TEXTS,
        None,
        ("fit",),
        ("score", "perplexity", "fill_mask"),
        {**EXACT, "max_steps": 1, "dropout": 0.0},
        {"fill_mask": MASKED},
    ),
    Subject(
        BertTokenizer,
        TEXTS,
        None,
        ("fit",),
        ("transform", "tokenize", "inverse_transform"),
        {},
        {"inverse_transform": [[5, 6, 7, 8, 9], [8, 9, 0, 0, 0]]},
    ),
]
BY_NAME = {subject.name: subject for subject in SUBJECTS}


def calls(subjects=SUBJECTS):
    """Return each subject with each of its methods."""
    return [
        (subject, method)
        for subject in subjects
        for method in (*subject.learning, *subject.answering)
    ]


def name_of_call(value):
    """Return the id of a subject or of a method in the names of tests."""
    return value if isinstance(value, str) else value.name


def plain(answer):
    """Return an answer as numbers, texts and lists of them."""
    if sparse.issparse(answer):
        answer = answer.toarray()
    if isinstance(answer, list | tuple):
        return [plain(one) for one in answer]
    if isinstance(answer, np.ndarray | np.generic):
        return plain(answer.tolist())
    return answer


def assert_close(found, expected, rtol=1e-6):
    """Compare plain answers, numbers within a tolerance."""
    if isinstance(expected, list):
        assert isinstance(found, list)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other, rtol)
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, rtol, atol=1e-12)
    else:
        assert found == expected


def params_of(estimator):
    """Return a copy of the parameters, in which a later change does not show."""
    return copy.deepcopy(estimator.get_params())


def fresh(state):
    """Return the estimator of a pickle, whose encoder is not in the cache."""
    return pickle.loads(state)
