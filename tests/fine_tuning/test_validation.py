"""A validation set of the user in place of a part of X."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_bert import BertRegressor, BertTokenClassifier
from sklearn_bert.exceptions import InputError, TruncationWarning

NEW = ["a good film", "a dull story", "the plot", "sad music and a slow scene"]


@pytest.fixture(scope="module")
def y_val(labels):
    return labels[:4]


@pytest.fixture
def make_watching(make):
    """Return a function that makes a classifier, and a list of what it scores."""
    seen = []

    def scorer(estimator, X, y):
        seen.append((list(X), y.tolist()))
        return 0.5

    def make_watching(**changes):
        options = {"early_stopping": True, "n_epochs": 1, "scoring": scorer}
        return make(**{**options, **changes}), seen

    return make_watching


def test_early_stopping_scores_the_set_and_trains_on_all_of_x(
    make_watching, texts, labels, y_val
):
    classifier, seen = make_watching()
    classifier.fit(texts, labels, X_val=NEW, y_val=y_val)
    assert seen[-1] == (NEW, y_val.tolist())
    assert classifier.n_samples_seen_ == len(texts)
    assert len(classifier.validation_scores_) == 1


def test_the_weights_are_those_of_a_fit_on_x_alone(make, texts, labels, y_val):
    plain = make().fit(texts, labels)
    classifier = make(early_stopping=True, n_iter_no_change=9, scoring=rising())
    classifier.fit(texts, labels, X_val=NEW, y_val=y_val)
    np.testing.assert_array_equal(classifier.coef_, plain.coef_)


def rising():
    scores = iter(range(99))
    return lambda *args: next(scores)


def test_the_weights_of_x_do_not_weigh_the_set(make, texts, labels, y_val):
    weights = np.linspace(1, 2, len(texts))
    classifier = make(early_stopping=True, n_epochs=1)
    classifier.fit(texts, labels, weights, X_val=NEW, y_val=y_val)
    accuracy = classifier.score(NEW, y_val)
    assert classifier.validation_scores_ == [pytest.approx(accuracy)]


def test_labels_need_not_all_be_in_the_set(make_watching, texts, labels):
    classifier, seen = make_watching()
    classifier.fit(texts, labels, X_val=NEW[:1], y_val=[True])
    assert seen[-1] == (NEW[:1], [True])


def test_a_warm_start_takes_a_set(make_watching, texts, labels, y_val):
    classifier, seen = make_watching(warm_start=True)
    classifier.fit(texts, labels, X_val=NEW, y_val=y_val)
    classifier.fit(texts, labels, X_val=NEW[:2], y_val=y_val[:2])
    assert seen[-1][0] == NEW[:2]


def test_several_labels_numbers_and_tags_are_scored(make, tiny_bert, texts):
    options = {"n_epochs": 1, "early_stopping": True, "dtype": "float32"}
    indicators = np.array([[len(text) > 60, "a" in text] for text in texts], int)
    labels = make(**options)
    labels.fit(texts, indicators, X_val=NEW, y_val=indicators[:4])
    numbers = BertRegressor(tiny_bert, **options)
    lengths = np.array([[len(text), text.count("a")] for text in texts], float)
    numbers.fit(texts, lengths, X_val=NEW, y_val=lengths[:4])
    tagger = BertTokenClassifier(tiny_bert, **options)
    words = [["a", "film"], ["the", "plot"], ["film"]]
    tags = [["D", "N"], ["D", "N"], ["N"]]
    tagger.fit(words, tags, X_val=[["the", "film"]], y_val=[["D", "N"]])
    assert numbers.best_validation_score_ == pytest.approx(
        numbers.score(NEW, lengths[:4])
    )
    for estimator in (labels, numbers, tagger):
        assert len(estimator.validation_scores_) == 1


def test_truncated_texts_of_both_are_counted_in_one_warning(make, texts, labels):
    n_before = make(n_epochs=1, max_length=16)
    long = " ".join(["film"] * 40)
    with pytest.warns(TruncationWarning) as caught:
        n_before.fit(texts, labels)
    classifier = make(n_epochs=1, max_length=16, early_stopping=True)
    with pytest.warns(TruncationWarning, match="of 42 texts") as caught:
        classifier.fit(texts, labels, X_val=[long, "a film"], y_val=labels[:2])
    assert len(caught) == 1
    assert classifier.n_truncated_ == n_before.n_truncated_ + 1


@pytest.mark.parametrize("given", [{"X_val": NEW}, {"y_val": [True] * 4}], ids=str)
def test_one_alone_is_refused(make, texts, labels, given):
    with pytest.raises(ValueError, match=r"must be passed together. Got ._val=None"):
        make(early_stopping=True).fit(texts, labels, **given)


def test_a_set_without_early_stopping_is_refused(make, texts, labels, y_val):
    with pytest.raises(ValueError, match="Set early_stopping=True, or leave them out"):
        make().fit(texts, labels, X_val=NEW, y_val=y_val)


def test_labels_that_are_not_in_training_are_refused(make, texts, labels):
    y = np.where(labels, "long", "short")
    y_val = ["long", "wide", "high", "wide"]
    message = r"must contain only labels of y.*Got 'wide', 'high', 3 of 4 labels"
    with pytest.raises(ValueError, match=message):
        make(early_stopping=True).fit(texts, y, X_val=NEW, y_val=y_val)


def test_numbers_are_not_the_labels_that_they_spell(make, texts, labels):
    y = np.where(labels, "1", "0")
    with pytest.raises(ValueError, match="must contain only labels of y"):
        make(early_stopping=True).fit(texts, y, X_val=NEW, y_val=[1, 0, 1, 0])


def test_tags_that_are_not_in_training_are_refused(tiny_bert):
    tagger = BertTokenClassifier(tiny_bert, early_stopping=True)
    words, tags = [["a", "film"]] * 3, [["D", "N"]] * 3
    with pytest.raises(ValueError, match=r"only labels of y.*Got 'V'"):
        tagger.fit(words, tags, X_val=[["see"]], y_val=[["V"]])


def test_other_numbers_of_columns_are_refused(make, tiny_bert, texts, labels):
    regressor = BertRegressor(tiny_bert, early_stopping=True)
    y = np.column_stack([labels, labels, range(len(texts))]).astype(float)
    message = r"y_val must have the columns of y. Got y_val of shape \(4, 2\)"
    with pytest.raises(ValueError, match=message):
        regressor.fit(texts, y, X_val=NEW, y_val=y[:4, :2])
    pairs = list(zip(NEW, NEW, strict=True))
    with pytest.raises(InputError, match=r"of X and y\. X has 2 features"):
        make(early_stopping=True).fit(texts, labels, X_val=pairs, y_val=labels[:4])


@pytest.mark.parametrize("is_column", [True, False])
def test_one_target_may_be_a_column_or_not(tiny_bert, texts, is_column):
    y = np.arange(float(len(texts)))
    column = y[:, None]
    shapes = []

    def scoring(estimator, X, y):
        shapes.append(y.shape)
        return estimator.score(X, y)

    options = {"n_epochs": 1, "early_stopping": True, "scoring": scoring}
    regressor = BertRegressor(tiny_bert, **options)
    given, other = (column, y) if is_column else (y, column)
    regressor.fit(texts, given, X_val=NEW, y_val=other[:4])
    assert {*shapes} == {given[:4].shape}


def test_other_names_of_columns_are_refused(make, texts, labels, y_val):
    X, X_val = pd.DataFrame({"text": texts}), pd.DataFrame({"title": NEW})
    with pytest.raises(ValueError, match=r"(?s)of X and y\. The feature names"):
        make(early_stopping=True).fit(X, labels, X_val=X_val, y_val=y_val)


def test_errors_of_the_set_say_where(make, texts, labels):
    with pytest.raises(ValueError, match=r"^X_val and y_val must meet the "):
        make(early_stopping=True).fit(texts, labels, X_val=NEW, y_val=[True])
    with pytest.raises(InputError, match=r"^X_val and y_val must meet the "):
        make(early_stopping=True).fit(texts, labels, X_val="a film", y_val=[True])


def test_a_set_that_cannot_be_scored_is_to_be_larger(make, texts, labels):
    classifier = make(early_stopping=True, scoring="neg_log_loss")
    message = "Pass more samples as X_val and y_val, so that"
    with pytest.raises(ValueError, match=message):
        classifier.fit(texts, labels, X_val=NEW, y_val=[True] * 4)


def test_a_search_and_a_pipeline_pass_the_set_on(make_watching, texts, labels, y_val):
    classifier, seen = make_watching()
    with sklearn.config_context(enable_metadata_routing=True):
        classifier.set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(
            FunctionTransformer(lambda X: [text.upper() for text in X]),
            classifier,
            transform_input=["X_val"],
        )
        grid = {"bertclassifier__learning_rate": [1e-4, 1e-3]}
        search = GridSearchCV(pipeline, grid, cv=2)
        search.fit(texts, labels, X_val=NEW, y_val=y_val)
    assert seen[-1] == ([text.upper() for text in NEW], y_val.tolist())
