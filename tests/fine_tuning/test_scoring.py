"""How early stopping scores the texts that are held out."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_bert.exceptions import RareClassWarning


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr"])
def test_a_scorer_that_lacks_a_class_is_told_before_the_training(
    make, texts, labels, scoring
):
    y = labels.astype(int)
    y[3] = 2
    epochs = []
    options = {"early_stopping": True, "callbacks": [epochs.append]}
    classifier = make(scoring=scoring, **options)
    with (
        pytest.warns(RareClassWarning),
        pytest.raises(ValueError, match="scoring must be able") as caught,
    ):
        classifier.fit(texts, y)
    assert f"scoring='{scoring}' for 4 samples" in str(caught.value)
    assert "Raise validation_fraction" in str(caught.value)
    assert epochs == []


def test_a_scorer_that_needs_one_of_two_classes_is_told_how_to_name_it(
    make, texts, labels
):
    y = np.where(labels, "spam", "ham")
    classifier = make(scoring="f1", early_stopping=True)
    with pytest.raises(ValueError, match="scoring must be able") as caught:
        classifier.fit(texts, y)
    assert "make_scorer(f1_score, pos_label=...)" in str(caught.value)
    assert "validation_fraction" not in str(caught.value)


def test_a_score_of_nan_is_told_before_the_training(make, texts, labels):
    epochs = []
    options = {"early_stopping": True, "callbacks": [epochs.append]}
    classifier = make(scoring=lambda *args: float("nan"), **options)
    with pytest.raises(ValueError, match="It returned nan"):
        classifier.fit(texts, labels)
    assert epochs == []


def test_the_scorer_is_given_the_weights_of_the_texts_held_out(make, texts, labels):
    seen = []

    def scorer(estimator, X, y, sample_weight=None):
        seen.append((X, sample_weight))
        return 0.5

    weights = np.arange(1, 41)
    classifier = make(early_stopping=True, scoring=scorer)
    classifier.fit(texts, labels, sample_weight=weights)
    assert len(seen) == 3
    for X, given in seen:
        assert [texts.index(text) + 1 for text in X] == given.tolist()
    seen.clear()
    classifier.fit(texts, labels)
    assert [weights for _, weights in seen] == [None] * 3


def test_weights_change_the_score_of_the_estimator_itself(make, texts, labels):
    wrong_weighs = make(early_stopping=True, validation_fraction=0.5, init="zeros")
    plain = clone(wrong_weighs).fit(texts, labels).validation_scores_
    weights = np.where(labels, 50, 1)
    weighted = wrong_weighs.fit(texts, labels, sample_weight=weights)
    assert weighted.validation_scores_ != plain


def test_a_scorer_without_weights_is_called_without(make, texts, labels):
    classifier = make(early_stopping=True, scoring=lambda estimator, X, y: 0.5)
    classifier.fit(texts, labels, sample_weight=np.ones(40))
    assert classifier.validation_scores_ == [0.5, 0.5]


@pytest.mark.parametrize("score", [None, "high", [0.5, 0.5], {"f1": 0.5}])
@pytest.mark.parametrize("weights", [None, np.ones(40)], ids=["plain", "weighted"])
def test_a_score_that_is_no_number_is_told_before_the_training(
    make, texts, labels, score, weights
):
    epochs = []
    options = {"early_stopping": True, "callbacks": [epochs.append]}
    classifier = make(scoring=lambda *args, **kwargs: score, **options)
    with pytest.raises(ValueError, match="scoring must return a number") as caught:
        classifier.fit(texts, labels, sample_weight=weights)
    assert f"Got {score!r} ({type(score).__name__}) from scoring=" in str(caught.value)
    assert epochs == []


def test_a_score_may_be_an_array_without_dimensions(make, texts, labels):
    classifier = make(early_stopping=True, scoring=lambda *args: np.array(0.5))
    assert classifier.fit(texts, labels).validation_scores_ == [0.5, 0.5]
