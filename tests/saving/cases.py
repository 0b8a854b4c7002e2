"""Estimators of all kinds, and what they answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTargetEncoder,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)

TEXTS = ["the film was good", "a bad plot", "slow and long", "it was fun"] * 3
WORDS = [text.split() for text in TEXTS]
QUICK = {"n_epochs": 1, "random_state": 0, "dtype": "float32", "learning_rate": 1e-3}
NEW = {"n_layers": 1, "hidden_size": 16, "n_heads": 2, "vocab_size": 64}
LABELS = np.array([[0, 1], [1, 0], [1, 1], [0, 0]] * 3)
LARGE = 2**63
METHODS = ("predict_proba", "decision_function", "predict", "transform", "score")


def classify(y, **changes):
    def make(model):
        classifier = BertClassifier(model, **{**QUICK, **changes})
        return classifier.fit(TEXTS, y), TEXTS

    return make


def classify_in_parts(model):
    classifier = BertClassifier(model, **QUICK)
    classifier.partial_fit(TEXTS[:6], list("ababab"), classes=["a", "b"])
    return classifier, TEXTS


def regress(y, **changes):
    def make(model):
        return BertRegressor(model, **{**QUICK, **changes}).fit(TEXTS, y), TEXTS

    return make


def regress_in_parts(model):
    regressor = BertRegressor(model, **QUICK)
    return regressor.partial_fit(TEXTS, np.arange(12.0)), TEXTS


def encode_targets(model):
    estimator = BertClassifier(model, **QUICK)
    return BertTargetEncoder(estimator, cv=2).fit(TEXTS, ["a", "b"] * 6), TEXTS


def tag(tags, **changes):
    def make(model):
        y = [[tags[len(word) % 2] for word in words] for words in WORDS]
        return BertTokenClassifier(model, **{**QUICK, **changes}).fit(WORDS, y), WORDS

    return make


def vectorize(**changes):
    def make(model):
        return BertVectorizer(model, **changes).fit(TEXTS), TEXTS

    return make


def vectorize_with(start, wrap=lambda model: model):
    def make(model):
        fitted, _ = CASES[start](model)
        return BertVectorizer(wrap(fitted), pooling="cls").fit(TEXTS), TEXTS

    return make


def vectorize_without_fit(model):
    return BertVectorizer(Path(model)), TEXTS


def pretrain(**changes):
    def make(model):
        params = {**NEW, "random_state": 0, "max_steps": 2, **changes}
        if "model" not in params:
            params["model"] = model
        return BertMaskedLM(**params).fit(TEXTS), TEXTS

    return make


def tokenize(**changes):
    def make(model):
        return BertTokenizer(model, **changes).fit(TEXTS), TEXTS

    return make


def continue_from_classes(model):
    fitted, _ = CASES["classes of texts"](model)
    return BertRegressor(fitted, **QUICK).fit(TEXTS, np.arange(12.0)), TEXTS


def adapt_a_classifier(model):
    fitted, _ = CASES["classes of texts"](model)
    base = FrozenEstimator(fitted)
    classifier = BertClassifier(base, adapter="lora", **QUICK)
    return classifier.fit(TEXTS, ["a", "b"] * 6), TEXTS


CASES = {
    "classes of texts": classify(["good", "bad", "slow", "fun"] * 3),
    "classes of wide texts": classify(np.array(["a", "b", "c", "d"] * 3, dtype="<U9")),
    "classes of objects": classify(np.array(["a", "b"] * 6, dtype=object)),
    "classes of integers": classify([3, -1, 7, 7] * 3),
    "classes of small integers": classify(np.array([1, 2] * 6, dtype=np.int8)),
    "classes of large integers": classify([LARGE, LARGE + 1] * 6),
    "classes in another byte order": classify(np.array([1, 2] * 6, dtype=">i4")),
    "classes of bool": classify([True, False] * 6),
    "classes of floats": classify([1.0, 2.0] * 6),
    "several labels": classify(LABELS),
    "several labels, sparse": classify(sparse.csr_array(LABELS)),
    "class weights": classify([3, 5] * 6, class_weight={3: 1.0, 5: 2.0}),
    "early stopping": classify(["a", "b"] * 6, early_stopping=True, scoring="accuracy"),
    "float64": classify(["a", "b"] * 6, dtype="float64"),
    "an adapter": classify(["a", "b"] * 6, adapter="lora"),
    "an adapter in float64": classify(["a", "b"] * 6, adapter="lora", dtype="float64"),
    "an adapter of a number": regress(np.arange(12.0), adapter="lora", freeze=1),
    "an adapter of tags": tag(["noun", "verb"], adapter="lora"),
    "an adapter on a classifier": adapt_a_classifier,
    "features of an adapted model": vectorize_with("an adapter", FrozenEstimator),
    "classes, in parts": classify_in_parts,
    "a number": regress(np.arange(12.0)),
    "two numbers": regress(np.arange(24.0).reshape(12, 2)),
    "numbers, in parts": regress_in_parts,
    "a classifier as model": continue_from_classes,
    "predictions as features": encode_targets,
    "tags": tag(["noun", "verb"]),
    "tags in BIO": tag(["B-x", "O"], constrain_tags="bio"),
    "tags of integers": tag([4, 2]),
    "features": vectorize(layers=(-1, 0), normalize=True),
    "features without fit": vectorize_without_fit,
    "features of a classifier": vectorize_with("classes of texts", FrozenEstimator),
    "features of a new model": vectorize_with("a new model"),
    "a new model": pretrain(model=None),
    "a continued model": pretrain(),
    "ids": tokenize(),
    "counts of a learned vocabulary": tokenize(vocab_size=64, output="counts"),
}


@dataclass
class Case:
    """A fitted estimator, and samples.

    Attributes
    ----------
    estimator : object
    X : list
    """

    estimator: Any
    X: Any

    def answers(self, estimator=None):
        """Return what an estimator answers, by method, as lists."""
        estimator = self.estimator if estimator is None else estimator
        return {
            method: as_list(getattr(estimator, method)(self.X))
            for method in METHODS
            if hasattr(estimator, method) and (method != "score" or not is_tuned(self))
        }

    def new(self):
        return clone(self.estimator)


def is_tuned(case):
    return hasattr(case.estimator, "coef_")


def as_list(answer):
    if isinstance(answer, list):
        return [part.tolist() for part in answer]
    if sparse.issparse(answer):
        answer = answer.toarray()
    return np.asarray(answer).tolist()
