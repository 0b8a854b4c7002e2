"""Results for an iterable of texts or batches."""

import itertools
import warnings
from collections import deque

import numpy as np
import pytest

from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import InputError, TruncationWarning
from sklearn_bert.streaming import transform_batches

pa = pytest.importorskip("pyarrow")


def joined(batches):
    return np.concatenate(list(batches))


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
@pytest.mark.parametrize("as_batches", [iter, lambda x: [x[:3], x[3:30], x[30:]]])
def test_batches_do_not_change_results(vectorizer, texts, batch_size, as_batches):
    found = joined(
        transform_batches(vectorizer, as_batches(texts), batch_size=batch_size)
    )
    np.testing.assert_allclose(found, vectorizer.transform(texts), atol=5e-6)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("classifier", "transform"),
        ("classifier", "predict"),
        ("classifier", "predict_proba"),
        ("pipeline", "predict"),
        ("pipeline", "predict_proba"),
        ("regressor", "predict"),
    ],
)
def test_methods_give_what_they_give_at_once(name, method, texts, request):
    estimator = request.getfixturevalue(name)
    found = joined(transform_batches(estimator, texts, method=method, batch_size=9))
    expected = getattr(estimator, method)(texts)
    if found.dtype.kind == "U":
        assert found.tolist() == expected.tolist()
    else:
        np.testing.assert_allclose(found, expected, atol=5e-6)


def test_texts_are_collected_batches_are_divided_and_none_are_joined(vectorizer):
    X = ["a"] * 5, ["a"] * 2, ["a"] * 2, "a", "a", "a", "a", ["a"]
    found = transform_batches(vectorizer, X, batch_size=3)
    assert [len(one) for one in found] == [3, 2, 2, 2, 3, 1, 1]


def test_a_tuple_is_a_pair(vectorizer, texts):
    pairs = list(zip(texts, texts[::-1], strict=True))
    found = joined(transform_batches(vectorizer, iter(pairs), batch_size=9))
    np.testing.assert_allclose(found, vectorizer.transform(pairs), atol=5e-6)


@pytest.mark.parametrize(
    "make",
    [
        np.array,
        lambda x: np.array(x)[:, None],
        deque,
        pa.array,
        lambda x: pytest.importorskip("pandas").Series(x, index=x),
        lambda x: pytest.importorskip("polars").Series(x),
    ],
)
def test_a_collection_is_divided_by_position(vectorizer, texts, make):
    found = list(transform_batches(vectorizer, make(texts), batch_size=30))
    assert [len(one) for one in found] == [30, 10]
    np.testing.assert_allclose(joined(found), vectorizer.transform(texts), atol=5e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        lambda x: x.to_batches(),
        lambda x: x.to_reader(max_chunksize=11),
        lambda x: x.to_pandas().set_index("id", drop=False),
        lambda x: pytest.importorskip("polars").from_arrow(x),
    ],
)
def test_tables_give_record_batches(vectorizer, texts, make):
    table = pa.table({"id": range(len(texts)), "text": texts})
    found = list(
        transform_batches(
            vectorizer, make(table), columns="text", keep=["id"], batch_size=30
        )
    )
    assert all(isinstance(one, pa.RecordBatch) for one in found)
    assert max(one.num_rows for one in found) <= 30
    whole = pa.Table.from_batches(found)
    assert whole.schema.field("transform").type == pa.list_(pa.float32(), 32)
    assert whole["id"].to_pylist() == list(range(len(texts)))
    vectors = np.array(whole["transform"].to_pylist(), dtype=np.float32)
    np.testing.assert_allclose(vectors, vectorizer.transform(texts), atol=5e-6)


def test_empty_batches_have_no_results(vectorizer):
    found = transform_batches(vectorizer, [["a"], [], pa.table({"text": []}), ["a"]])
    assert len(list(found)) == 2
    assert list(transform_batches(vectorizer, [])) == []


def test_texts_are_read_when_results_are_asked_for(vectorizer):
    n_read = 0

    def texts():
        nonlocal n_read
        for k in itertools.count():
            n_read += 1
            yield f"text {k}"

    results = transform_batches(vectorizer, texts(), batch_size=4)
    assert n_read == 0
    next(results)
    assert n_read == 4
    results.close()


def test_a_bad_row_has_its_number_in_the_whole(vectorizer):
    X = ["a"] * 3, ["a"] * 6, iter(["a", 3])
    X = itertools.chain.from_iterable(X)
    results = transform_batches(vectorizer, X, batch_size=4)
    next(results)
    next(results)
    with pytest.raises(InputError, match=r"Got 3 \(int\) in row 10: ") as caught:
        next(results)
    assert caught.value.__notes__ == ["In rows 8 to 10."]


def test_a_column_of_pandas_may_contain_anything(vectorizer):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"text": ["a", "b", 3], "mixed": [1, "x", {2}], "id": [5] * 3})
    names = {"columns": "text", "keep": ["id"]}
    (found,) = transform_batches(vectorizer, frame[:2], **names)
    assert found.schema.names == ["id", "transform"]
    with pytest.raises(InputError, match=r"Got 3 \(int\) in row 2: "):
        list(transform_batches(vectorizer, frame, **names))


def test_pairs_may_be_columns_of_pandas(vectorizer, texts):
    frame = pytest.importorskip("pandas").DataFrame({"a": texts, "b": texts[::-1]})
    (found,) = transform_batches(vectorizer, frame, columns=["b", "a"])
    expected = vectorizer.transform(frame[["b", "a"]])
    np.testing.assert_array_equal(found["transform"].flatten(), expected.ravel())


def test_missing_texts_are_those_of_the_estimator(tiny_bert):
    table = pa.table({"text": ["a", None]})
    with pytest.raises(InputError, match="None"):
        list(transform_batches(BertVectorizer(tiny_bert), table))
    list(transform_batches(BertVectorizer(tiny_bert, missing="empty"), table))


def test_one_warning_counts_the_truncated_texts_of_all_batches(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=5)
    texts = ["a film", "a very long film and story"] * 10
    with pytest.warns(TruncationWarning) as caught:
        list(transform_batches(vectorizer, texts, batch_size=4))
    assert [str(one.message)[:17] for one in caught] == ["10 of 20 texts (5"]


def test_what_a_caller_does_between_results_warns_as_usual(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=5)
    results = transform_batches(vectorizer, ["a film"] * 2, batch_size=1)
    next(results)
    with pytest.warns(TruncationWarning, match="1 of 1"):
        vectorizer.transform(["a very long film and story"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results.close()


@pytest.mark.parametrize("X", ["a text", {"text": ["a"]}, {"a", "b"}, 3, b"a"])
def test_what_is_no_iterable_of_texts_is_refused_at_once(vectorizer, X):
    with pytest.raises(InputError, match="X must be an iterable of texts"):
        transform_batches(vectorizer, X)


def test_columns_without_a_table_are_refused(vectorizer):
    with pytest.raises(InputError, match="X must consist of tables"):
        list(transform_batches(vectorizer, ["a"], columns="text"))


def test_a_missing_method_is_refused(vectorizer):
    with pytest.raises(ValueError, match="must have the method 'predict'"):
        transform_batches(vectorizer, ["a"], method="predict")


@pytest.mark.parametrize("keep", [["id", "id"], ["transform"]])
def test_two_columns_of_one_name_are_refused(vectorizer, keep):
    with pytest.raises(ValueError, match="keep must be different columns"):
        transform_batches(vectorizer, ["a"], keep=keep)
