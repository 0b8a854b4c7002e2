"""What BertClassifier gives: decisions, probabilities, labels and features."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.preprocessing import MultiLabelBinarizer

from classifier.weights import assert_same_weights
from sklearn_bert.exceptions import (
    InputError,
    TruncationWarning,
)


def test_learns_what_is_to_be_learned(make, texts, labels):
    classifier = make(n_epochs=30, dropout=0.0).fit(texts, labels)
    assert classifier.score(texts, labels) > 0.9
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]


def test_probabilities_are_the_softmax_of_the_decisions(fitted, texts):
    scores = fitted.decision_function(texts)
    assert scores.shape == (40, 3)
    chances = fitted.predict_proba(texts)
    np.testing.assert_allclose(chances, softmax(scores, axis=1), atol=1e-6)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.log(chances), fitted.predict_log_proba(texts), 1e-3)


def test_the_most_probable_class_is_predicted(fitted, texts):
    chances = fitted.predict_proba(texts)
    expected = fitted.classes_[chances.argmax(axis=1)]
    assert fitted.predict(texts).tolist() == expected.tolist()


def test_the_predictions_of_a_subclass_are_scored(fitted, texts, labels):
    class AlwaysLong(type(fitted)):
        def predict(self, X):
            return np.full(len(X), "long")

    always = AlwaysLong()
    always.__dict__.update(vars(fitted))
    assert always.score(texts, labels) == (labels == "long").mean()


def test_an_iterator_and_a_frame_are_scored(make, texts, labels):
    frame = pd.DataFrame({"text": texts})
    classifier = make(n_epochs=1).fit(frame, labels)
    expected = (classifier.predict(frame) == labels).mean()
    assert classifier.score(frame, labels) == expected
    classifier.fit(texts, labels)
    assert classifier.score(iter(texts), labels) == expected


def test_two_classes_have_one_decision(make, texts, labels):
    classifier = make().fit(texts, labels == "long")
    scores = classifier.decision_function(texts)
    assert scores.shape == (40,)
    np.testing.assert_allclose(
        classifier.predict_proba(texts)[:, 1], expit(scores), atol=1e-6
    )
    assert (classifier.predict(texts) == (scores > 0)).all()


def test_several_labels_have_a_probability_each(fitted_multilabel, texts, indicators):
    chances = fitted_multilabel.predict_proba(texts)
    scores = fitted_multilabel.decision_function(texts)
    np.testing.assert_allclose(chances, expit(scores), atol=1e-6)
    np.testing.assert_allclose(
        np.log(chances), fitted_multilabel.predict_log_proba(texts), 1e-3
    )
    predicted = fitted_multilabel.predict(texts)
    assert predicted.shape == indicators.shape
    assert (predicted == (chances > 0.5)).all()
    assert fitted_multilabel.classes_.tolist() == [0, 1, 2]


def test_sparse_labels_come_back_sparse(make, fitted_multilabel, texts, indicators):
    classifier = make().fit(texts, sparse.csr_matrix(indicators))
    predicted = classifier.predict(texts)
    assert sparse.issparse(predicted)
    assert (predicted.toarray() == fitted_multilabel.predict(texts)).all()


@pytest.mark.parametrize(
    "values",
    [
        ["a", "b", "c"],
        [3, 7, -1],
        np.array(["x", "y", "z"], dtype=object),
        [2.0, 5.0, 9.0],
        [True, False, True],
    ],
    ids=["str", "int", "object", "float", "bool"],
)
def test_labels_come_back_as_they_were(make, texts, values):
    y = np.array([values[i % 3] for i in range(40)], dtype=np.asarray(values).dtype)
    classifier = make(n_epochs=1).fit(texts, y)
    assert classifier.classes_.tolist() == sorted(set(y.tolist()))
    assert classifier.predict(texts).dtype == y.dtype
    assert set(classifier.predict(texts).tolist()) <= set(y.tolist())


def test_y_may_be_any_column(make, fitted, texts, labels):
    for y in (labels.tolist(), pd.Series(labels, index=range(40, 0, -1))):
        assert_same_weights(make().fit(texts, y), fitted)
    assert_same_weights(make().fit(texts, pd.Categorical(labels)), fitted)


def test_pairs_are_classified(make, texts):
    pairs = list(zip(texts[:20], texts[20:], strict=True))
    classifier = make().fit(pairs, [0, 1] * 10)
    assert classifier.n_features_in_ == 2
    assert classifier.predict(pairs).shape == (20,)
    with pytest.raises(InputError, match="expecting 2 features"):
        classifier.predict(texts)


def test_lists_of_labels_become_an_indicator_matrix(make, texts):
    lists = [["a"] if i % 2 else ["a", "b"] for i in range(40)]
    y = MultiLabelBinarizer().fit_transform(lists)
    assert make(n_epochs=1).fit(texts, y).predict(texts).shape == (40, 2)


# --- one text, one result ----------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 5e-6), ("float64", 1e-9)])
def test_batch_composition_does_not_matter(make, texts, labels, dtype, tolerance):
    classifier = make(dtype=dtype).fit(texts, labels)
    expected = classifier.predict_proba(texts)
    alone = np.vstack([classifier.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(alone, expected, rtol=0, atol=tolerance)
    order = np.random.RandomState(0).permutation(len(texts))
    shuffled = classifier.predict_proba([texts[i] for i in order])
    np.testing.assert_allclose(shuffled, expected[order], rtol=0, atol=tolerance)


def test_long_texts_are_read_in_windows(make, texts):
    y = [len(text) > 60 for text in texts]
    classifier = make(max_length=6, long_text="window")
    with warnings.catch_warnings():
        warnings.simplefilter("error", TruncationWarning)
        classifier.fit(texts, y)
        whole = classifier.decision_function(["good film with a dull plot"])
    windows = classifier.decision_function(["good film with a", "with a dull plot"])
    np.testing.assert_allclose(whole[0], windows.mean(), atol=1e-5)
    assert classifier.n_truncated_ == 0


def test_cutting_is_never_silent(make, texts, labels):
    with pytest.warns(TruncationWarning, match="of 40 texts") as caught:
        classifier = make(max_length=8, early_stopping=True).fit(texts, labels)
    assert len(caught) == 1
    assert classifier.n_truncated_ > 0
    with pytest.warns(TruncationWarning):
        classifier.predict(texts)
