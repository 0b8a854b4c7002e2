"""The table of the estimators that keep the contract with scikit-learn.

A new estimator is one more line of SUBJECTS, and is then tested by every check of its
kind. What a line holds is described at :class:`Subject`.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from contract.checkpoint import CHECKPOINT
from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTargetEncoder,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)

METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
)

# Fast, and the same on every machine: a step is taken on all texts at once.
FROZEN = {"model": CHECKPOINT, "pooling": "mean", "dtype": "float64"}
TUNED = {
    **FROZEN,
    "n_epochs": 1,
    "batch_size": 400,
    "learning_rate": 1e-3,
    "dropout": 0.0,
    "random_state": 0,
}


def _make_texts():
    """Return 24 texts of three topics, in no order, and their topics."""
    topics = {
        "looks": "film scene see watch actor",
        "sound": "music hear slow fast short",
        "taste": "good bad great dull funny",
    }
    random = np.random.RandomState(0)
    texts, names = [], []
    for name in random.permutation(np.repeat(list(topics), 8)):
        words = random.choice(topics[name].split(), size=random.randint(1, 7))
        texts.append(" ".join(["the", *words, "and"]))
        names.append(str(name))
    return texts, np.array(names)


TEXTS, TOPICS = _make_texts()
LENGTHS = np.array([float(len(text)) for text in TEXTS])
LABELS = np.array(
    [
        ["film" in text or "see" in text, "good" in text, len(text) > 30]
        for text in TEXTS
    ],
    dtype=int,
)
# One step from a ridge regression does not explain half of the variance of noise.
LEARNS_FROM_ROWS = {"n_epochs": 15, "batch_size": 20, "learning_rate": 3e-3}
SENTENCES = [text.split() for text in TEXTS]
TAGS = np.array(
    [["short" if len(word) < 4 else "long" for word in x] for x in SENTENCES],
    dtype=object,
)
PRETRAINED = {
    "model": CHECKPOINT,
    "max_steps": 1,
    "dropout": 0.0,
    "dtype": "float64",
    "random_state": 0,
}
TAGGED = {name: value for name, value in TUNED.items() if name != "pooling"}


@dataclass(frozen=True)
class Subject:
    """An estimator with data that suit it.

    Attributes
    ----------
    estimator : type
    params : dict
        Settings under which it is fast and repeatable.
    X, y : sequences of equal length
        ``y`` is None for estimators that ignore it.
    on_rows : dict
        Changes of ``params`` that it needs in order to learn from rows as texts.
    name : str
        Told apart from other subjects of the same class by it.
    """

    estimator: type
    params: dict[str, Any]
    X: list[Any]
    y: Any = None
    on_rows: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    def make(self, **changes):
        return self.estimator(**{**self.params, **changes})

    def fit(self, X=None, y=None, /, **changes):
        """Fit a new estimator to the subject's own data, or to other data."""
        X, y = self.X if X is None else X, self.y if y is None else y
        return self.make(**changes).fit(X, y)

    def with_estimator(self, estimator):
        return replace(self, estimator=estimator)

    def in_format(self, dtype):
        """Return the parameters that select a dtype, if there are any."""
        return {"dtype": dtype} if "dtype" in self.params else {}

    @property
    def methods(self):
        """The methods that say something about X."""
        own = [method for method in METHODS if hasattr(self.estimator, method)]
        return own or ["score"]

    @property
    def kinds(self):
        """What it is to scikit-learn, by its tags and methods."""
        tags = get_tags(self.make())
        is_texts = isinstance(self.X[0], str)
        is_transformer = hasattr(self.estimator, "transform")
        is_classifier = is_texts and tags.classifier_tags is not None
        is_multilabel = is_classifier and getattr(self.y, "ndim", 1) == 2
        return {
            "any",
            *(["classifier"] if is_classifier and not is_multilabel else []),
            *(["multilabel"] if is_multilabel else []),
            *(["regressor"] if tags.regressor_tags else []),
            *(["transformer"] if is_transformer else []),
            *(["transformer of texts"] if is_transformer and is_texts else []),
            "stateful" if tags.requires_fit else "stateless",
            *(["stateful transformer"] if is_transformer and tags.requires_fit else []),
            *(["supervised"] if tags.target_tags.required else []),
            *(["supervised texts"] if tags.target_tags.required and is_texts else []),
            *(["weighted"] if has_fit_parameter(self.make(), "sample_weight") else []),
            "texts" if is_texts else "words",
            *(["per text"] if self.methods != ["score"] else []),
            # BertMaskedLM, which has a score only, reads one column.
            *(["pairs"] if is_texts and self.methods != ["score"] else []),
        }

    def __str__(self):
        return self.name or self.estimator.__name__


SUBJECTS = [
    Subject(BertVectorizer, FROZEN, TEXTS),
    Subject(BertClassifier, TUNED, TEXTS, TOPICS),
    Subject(BertClassifier, TUNED, TEXTS, LABELS, name="BertClassifier-multilabel"),
    Subject(BertRegressor, TUNED, TEXTS, LENGTHS, LEARNS_FROM_ROWS),
    Subject(BertTokenClassifier, TAGGED, SENTENCES, TAGS),
    Subject(BertTokenizer, {"model": CHECKPOINT, "max_length": 32}, TEXTS),
    Subject(BertMaskedLM, PRETRAINED, TEXTS),
]

# Its parameters are those of an estimator in it, and its fit_transform is not fit and
# transform, so that it is not a subject of every test.
CROSS_FITTED = Subject(
    BertTargetEncoder,
    {"estimator": BertClassifier(**TUNED), "cv": 2, "random_state": 0},
    TEXTS,
    TOPICS,
)
