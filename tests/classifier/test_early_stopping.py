"""What BertClassifier holds out, scores and keeps."""

import numpy as np
import pytest

from classifier.weights import assert_same_weights
from sklearn_bert.exceptions import (
    RareClassWarning,
)


def test_early_stopping_keeps_the_best_weights(make, texts, labels):
    seen = []

    def scorer(estimator, X, y):
        seen.append((estimator.coef_.copy(), len(X), sorted(set(y))))
        # The first call comes before the training.
        return [0.0, 0.1, 0.8, 0.3, 0.2][len(seen) - 1]

    classifier = make(
        n_epochs=9, early_stopping=True, scoring=scorer, validation_fraction=0.25
    ).fit(texts, labels)
    assert classifier.validation_scores_ == [0.1, 0.8, 0.3, 0.2]
    assert classifier.n_iter_ == 4
    assert np.array_equal(classifier.coef_, seen[2][0])
    assert seen[0][1:] == (10, ["good", "long", "other"])


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_training_stops_after_so_many_epochs_without_change(
    make, texts, labels, patience
):
    scores = iter([0.0, 0.5, *[0.1] * 9])
    classifier = make(
        n_epochs=9,
        early_stopping=True,
        n_iter_no_change=patience,
        scoring=lambda *args: next(scores),
        validation_fraction=0.25,
    ).fit(texts, labels)
    assert classifier.n_iter_ == 1 + patience


def test_one_seed_holds_out_the_same_texts(make, texts, labels):
    options = {"early_stopping": True, "validation_fraction": 0.25}
    first, again = (make(**options).fit(texts, labels) for _ in range(2))
    assert_same_weights(first, again)
    assert first.validation_scores_ == again.validation_scores_


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", "f1_macro"])
def test_any_scorer_will_do(make, texts, labels, scoring):
    classifier = make(early_stopping=True, scoring=scoring, validation_fraction=0.25)
    classifier.fit(texts, labels)
    assert len(classifier.validation_scores_) == 2
    assert np.isfinite(classifier.validation_scores_).all()


def test_several_labels_are_scored(make, texts, indicators):
    classifier = make(early_stopping=True, scoring="f1_micro").fit(texts, indicators)
    assert all(0 <= score <= 1 for score in classifier.validation_scores_)


def test_a_class_too_rare_to_split_stays_in_training(make, texts, labels):
    y = labels.copy()
    y[3] = "rare"
    with pytest.warns(RareClassWarning, match="1 of 4 classes") as caught:
        classifier = make(early_stopping=True).fit(texts, y)
    assert len(caught) == 1
    assert "rare" in classifier.classes_


def test_nothing_is_held_out_without_early_stopping(make, texts):
    # Of so few rows none could be held out.
    assert make().fit(texts[:3], ["a", "b", "c"]).validation_scores_ == []


def test_too_small_a_validation_set_is_refused(make, texts, labels):
    with pytest.raises(ValueError, match="The validation set is too small"):
        make(early_stopping=True, validation_fraction=0.01).fit(texts, labels)
