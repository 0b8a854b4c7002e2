"""From a table to the input of a method, and from its result to a column."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import InputError
from sklearn_bert.streaming._tables import Method, to_array

pa = pytest.importorskip("pyarrow")


@pytest.fixture
def table(texts):
    return pa.table({"id": range(len(texts)), "text": texts})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_vectors_become_lists_of_fixed_size_with_their_dtype(dtype):
    values = np.arange(6, dtype=dtype).reshape(2, 3)
    array = to_array(values, "transform")
    assert array.type == pa.list_(pa.from_numpy_dtype(dtype), 3)
    assert array.to_pylist() == values.tolist()


def test_values_of_a_fortran_array_keep_their_order():
    values = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert to_array(values, "transform").to_pylist() == values.tolist()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array(["a", "bc"]), "string"),
        (np.array(["a", "bc"], dtype=object), "string"),
        (np.array([1, 2]), "int64"),
        (np.array([1.0, 2.0], dtype=np.float32), "float"),
    ],
)
def test_one_value_per_row_becomes_a_column_of_its_type(values, kind):
    array = to_array(values, "predict")
    assert str(array.type) == kind
    assert array.to_pylist() == list(values)


@pytest.mark.parametrize(
    ("tags", "kind"), [(["B-x", "O"], pa.string()), ([0, 1], pa.int64())]
)
def test_tags_of_empty_sentences_have_the_type_of_all_others(tags, kind):
    some, empty = np.empty(2, dtype=object), np.empty(1, dtype=object)
    some[:], empty[:] = [tags[:1], []], [[]]
    for values in (some, empty):
        array = to_array(values, "predict", np.array(tags))
        assert array.type == pa.list_(kind)
        assert array.to_pylist() == list(values)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 2, 2)),
        [np.zeros((2, 2))] * 2,
        [np.zeros((1, 2)), np.zeros((2, 2))],
        np.array([["a", "b"]]),
    ],
)
def test_what_is_not_a_vector_of_numbers_is_refused(values):
    with pytest.raises(TypeError, match="of predict must be one number"):
        to_array(values, "predict")


def test_kept_columns_come_first_and_the_result_is_named_like_the_method(
    vectorizer, table, texts
):
    found = Method(vectorizer, "transform", ("text",), ("id",)).call_on_table(table)
    assert found.schema.names == ["id", "transform"]
    assert found["id"].to_pylist() == list(range(len(texts)))
    flat = found["transform"].flatten().to_numpy()
    np.testing.assert_array_equal(flat, vectorizer.transform(texts).ravel())


def test_two_columns_are_pairs(vectorizer, texts):
    table = pa.table({"a": texts, "b": texts[::-1]})
    found = Method(vectorizer, "transform", ("b", "a"), ()).call_on_table(table)
    expected = vectorizer.transform(list(zip(texts[::-1], texts, strict=True)))
    np.testing.assert_array_equal(found["transform"].flatten(), expected.ravel())


def test_an_estimator_fitted_to_named_columns_gets_their_names(tiny_bert, table):
    pd = pytest.importorskip("pandas")
    fitted = BertVectorizer(tiny_bert).fit(pd.DataFrame({"text": ["a film"]}))
    Method(fitted, "transform", ("text",), ()).call_on_table(table)
    with pytest.raises(ValueError, match="feature names"):
        Method(fitted, "transform", ("other",), ()).call_on_table(
            table.rename_columns(["id", "other"])
        )


def test_scikit_learn_selects_columns_by_name(tiny_bert, table):
    frame = table.to_pandas()
    columns = ColumnTransformer(
        [("text", BertVectorizer(tiny_bert), "text"), ("id", StandardScaler(), ["id"])]
    ).fit(frame)
    found = Method(columns, "transform", ("id", "text"), ()).call_on_table(table)
    np.testing.assert_array_equal(
        found["transform"].flatten(), columns.transform(frame).ravel()
    )


def test_a_pipeline_that_splits_texts_itself_gets_a_list(table, texts):
    dense = FunctionTransformer(lambda X: X.toarray(), accept_sparse=True)
    pipeline = make_pipeline(HashingVectorizer(n_features=4), dense).fit(texts)
    found = Method(pipeline, "transform", ("text",), ()).call_on_table(table)
    expected = pipeline.transform(texts)
    np.testing.assert_array_equal(found["transform"].flatten(), expected.ravel())


def test_a_sparse_result_is_refused(table, texts):
    pipeline = make_pipeline(HashingVectorizer(n_features=4)).fit(texts)
    with pytest.raises(TypeError, match=r"Pipeline\.transform must be dense"):
        Method(pipeline, "transform", ("text",), ()).call_on_table(table)


def test_the_only_column_needs_no_name(vectorizer):
    assert Method(vectorizer, "transform", None, ()).find_columns(["text"]) == ("text",)


def test_one_of_several_columns_must_be_chosen(vectorizer):
    method = Method(vectorizer, "transform", None, ())
    with pytest.raises(InputError, match=r"Pass for instance columns='id'"):
        method.find_columns(["id", "text"])


@pytest.mark.parametrize(
    ("columns", "keep", "name"), [("txt", (), "columns"), ("text", ("di",), "keep")]
)
def test_missing_columns_are_named(vectorizer, columns, keep, name):
    method = Method(vectorizer, "transform", (columns,), keep)
    with pytest.raises(InputError, match=f"{name} must be columns of the table. Got '"):
        method.find_columns(["id", "text"])
