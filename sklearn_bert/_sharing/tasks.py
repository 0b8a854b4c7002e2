"""What an estimator does, in a sentence."""

from typing import Any

from sklearn_bert._engine.export.contents import Exported


def n_columns(estimator: Any) -> int:
    """Return 2 if the samples are pairs; a vectorizer need not be fitted."""
    return getattr(estimator, "n_features_in_", 1)


def describe_task(estimator: Any, exported: Exported) -> str:
    """Return a sentence about what a fitted estimator does with a text."""
    subject = "a pair of texts" if n_columns(estimator) == 2 else "a text"
    if exported.task is None:
        return f"Splits {subject} into tokens. This folder contains no weights."
    if exported.task == "fill-mask":
        return "Predicts masked tokens of a text. It can be fine-tuned for other tasks."
    if exported.task == "feature-extraction":
        return f"Turns {subject} into {_vector(estimator)}."
    if exported.task == "token-classification":
        return f"Assigns one of {len(estimator.classes_):,} tags to each word."
    return f"{_verb(estimator)} {subject}."


def _vector(estimator: Any) -> str:
    if not hasattr(estimator, "get_feature_names_out"):
        return "a vector for each word"
    return f"a vector of {len(estimator.get_feature_names_out()):,} features"


def _verb(estimator: Any) -> str:
    if not hasattr(estimator, "classes_"):
        n = estimator.n_outputs_
        return "Predicts a number for" if n == 1 else f"Predicts {n:,} numbers for"
    n = len(estimator.classes_)
    if estimator.is_multilabel_:
        return f"Assigns any number of {n:,} labels to"
    return f"Assigns one of {n:,} classes to"
