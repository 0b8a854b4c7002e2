"""What BertClassifier holds out, scores and keeps."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import log_loss

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
    assert classifier.best_validation_score_ == 0.8
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


def test_training_continues_while_no_text_has_all_labels_correct(make, texts):
    # One label per letter. Some letters are in no text that is held out.
    letters = np.array(
        [[letter in text for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts],
        int,
    )
    options = {"early_stopping": True, "n_iter_no_change": 1, "init": "zeros"}
    classifier = make(n_epochs=5, **options).fit(texts, letters)
    assert classifier.score(texts, letters) == 0
    assert classifier.n_iter_ == 5


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("weights", [None, np.arange(1, 41)], ids=["plain", "weighted"])
def test_several_labels_are_scored_by_minus_the_loss(
    make, texts, indicators, convert, weights
):
    options = {"early_stopping": True, "validation_split": "last", "n_epochs": 1}
    classifier = make(validation_fraction=0.25, **options)
    classifier.fit(texts, convert(indicators), sample_weight=weights)
    probabilities = classifier.predict_proba(texts[30:])
    losses = [
        log_loss(
            indicators[30:, k],
            probabilities[:, k],
            sample_weight=None if weights is None else weights[30:],
            labels=[0, 1],
        )
        for k in range(3)
    ]
    expected = pytest.approx(-np.mean(losses), rel=1e-4)
    assert classifier.validation_scores_ == [expected]


def test_class_weights_count_in_the_loss_of_several_labels(make, texts, indicators):
    options = {"early_stopping": True, "validation_split": "last", "n_epochs": 1}
    options |= {"init": "zeros", "learning_rate": 1e-12}
    classifier = make(class_weight={0: 5, 1: 5, 2: 5}, **options)
    classifier.fit(texts, indicators)
    # All probabilities are 1 / 2.
    loss = np.log(2) * np.where(indicators[36:], 5, 1).mean()
    assert classifier.validation_scores_ == [pytest.approx(-loss)]


def test_a_class_too_rare_to_split_stays_in_training(make, texts, labels):
    y = labels.copy()
    y[3] = "rare"
    with pytest.warns(RareClassWarning, match="1 of 4 classes") as caught:
        classifier = make(early_stopping=True).fit(texts, y)
    assert len(caught) == 1
    assert "rare" in classifier.classes_


def test_nothing_is_held_out_without_early_stopping(make, texts):
    # Of so few rows none could be held out.
    classifier = make().fit(texts[:3], ["a", "b", "c"])
    assert classifier.validation_scores_ == []
    assert classifier.best_validation_score_ is None


@pytest.mark.parametrize("of_epochs", [[0.1, np.nan], [np.nan, 0.1]])
def test_a_score_of_nan_is_never_the_best(make, texts, labels, of_epochs):
    scores = iter([0.0, *of_epochs])
    options = {"early_stopping": True, "validation_fraction": 0.25}
    classifier = make(scoring=lambda *args: next(scores), **options)
    assert classifier.fit(texts, labels).best_validation_score_ == 0.1


def test_too_small_a_validation_set_is_refused(make, texts, labels):
    with pytest.raises(ValueError, match="The validation set is too small"):
        make(early_stopping=True, validation_fraction=0.01).fit(texts, labels)


def held_out_of(make, texts, labels, groups=None, **changes):
    """Return the texts that a fit holds out."""
    seen = []

    def scorer(estimator, X, y):
        seen.append(list(X))
        return 0.5

    make(early_stopping=True, n_epochs=1, scoring=scorer, **changes).fit(
        texts, labels, groups=groups
    )
    return seen[0]


def test_no_group_is_in_both_parts(make, texts, labels):
    groups = [text[:1] for text in texts]
    held_out = held_out_of(make, texts, labels, groups, validation_fraction=0.3)
    others = set(texts) - set(held_out)
    assert len(held_out) > 5
    assert not {text[:1] for text in held_out} & {text[:1] for text in others}


def test_the_last_texts_can_be_held_out(make, texts, labels):
    changes = {"validation_split": "last", "validation_fraction": 0.25}
    assert held_out_of(make, texts, labels, **changes) == texts[30:]


def test_texts_without_weight_belong_to_no_group(make, texts, labels):
    weights = np.ones(40)
    weights[:20] = 0
    classifier = make(early_stopping=True)
    with pytest.raises(ValueError, match="at least 2 groups of positive weight"):
        classifier.fit(texts, labels, weights, groups=np.arange(40) // 20)


def test_groups_are_checked_without_early_stopping_too(make, texts, labels):
    with pytest.raises(ValueError, match="one value for each of the 40 samples"):
        make().fit(texts, labels, groups=[1, 2])


def test_groups_and_the_last_texts_are_refused_together(make, texts, labels):
    classifier = make(early_stopping=True, validation_split="last")
    with pytest.raises(ValueError, match="groups must be None with validation_split"):
        classifier.fit(texts, labels, groups=np.arange(40))
