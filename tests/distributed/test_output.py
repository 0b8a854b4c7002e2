"""Results of methods become columns with names, dtypes and the index of X."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer

from sklearn_bert import BertTokenizer
from sklearn_bert.distributed._output import call_as_table, empty_table

pd = pytest.importorskip("pandas")


@pytest.fixture
def X(texts):
    return pd.Series(texts[:6], index=[9, 9, 7, 5, 3, 1], name="text")


@pytest.fixture
def classifier(vectorizer, texts):
    labels = ["good", "bad", "mixed"] * 4
    return make_pipeline(vectorizer, LogisticRegression()).fit(texts[:12], labels)


def test_features_have_their_names_and_the_index_of_texts(vectorizer, X):
    table = call_as_table(vectorizer, "transform", X)
    assert list(table.columns) == list(vectorizer.get_feature_names_out())
    assert list(table.index) == list(X.index)
    assert set(table.dtypes) == {np.dtype("float32")}
    np.testing.assert_array_equal(table, vectorizer.transform(X))


def test_columns_of_probabilities_are_the_classes(classifier, X):
    table = call_as_table(classifier, "predict_proba", X)
    assert list(table.columns) == ["bad", "good", "mixed"]
    np.testing.assert_array_equal(table, classifier.predict_proba(X))


def test_names_of_classes_that_are_numbers_are_str(vectorizer, texts, X):
    classifier = make_pipeline(vectorizer, LogisticRegression())
    classifier.fit(texts[:12], [0, 1] * 6)
    table = call_as_table(classifier, "predict_proba", X)
    assert list(table.columns) == ["0", "1"]


def test_predictions_are_one_column(classifier, X):
    column = call_as_table(classifier, "predict", X)
    assert column.name == "predict"
    assert column.tolist() == classifier.predict(X).tolist()
    assert list(column.index) == list(X.index)


def test_lists_are_one_column(X):
    class Tagger:
        def predict(self, X):
            return [["O"] * k for k in range(len(X))]

    assert call_as_table(Tagger(), "predict", X).tolist() == Tagger().predict(X)


def test_columns_without_names_are_numbered(vectorizer, X):
    pipeline = make_pipeline(vectorizer, FunctionTransformer(lambda X: X[:, :2]))
    table = call_as_table(pipeline, "transform", X)
    assert list(table.columns) == ["transform0", "transform1"]


def test_steps_without_state_need_no_names(vectorizer, X):
    table = call_as_table(make_pipeline(vectorizer, Normalizer()), "transform", X)
    assert table.shape == (6, 32)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_keeps_its_names(vectorizer, texts, X, container):
    pytest.importorskip(container)
    pipeline = make_pipeline(vectorizer, PCA(2)).set_output(transform=container)
    pipeline.fit(texts)
    table = call_as_table(pipeline, "transform", X)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["pca0", "pca1"]
    assert list(table.index) == list(X.index)


def test_sparse_results_are_refused(tiny_bert, X):
    counter = BertTokenizer(tiny_bert, output="counts").fit(X)
    with pytest.raises(TypeError, match="must be dense"):
        call_as_table(counter, "transform", X)


def test_results_without_a_row_for_each_text_are_refused(X):
    class Forest:
        def predict_proba(self, X):
            return [np.zeros((len(X), 2))] * 3

    with pytest.raises(ValueError, match="Got 3 entries for 6 rows"):
        call_as_table(Forest(), "predict_proba", X)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_empty_table_is_like_the_results(classifier, X, method):
    empty = empty_table(classifier, method, pd.Series(["a text"]))
    result = call_as_table(classifier, method, X)
    assert len(empty) == 0
    pd.testing.assert_series_equal(pd.Series(empty.dtypes), pd.Series(result.dtypes))
