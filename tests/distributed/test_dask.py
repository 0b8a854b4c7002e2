"""Dask gives the result of one process, whatever happens to its workers."""

import numpy as np
import pytest
import torch
from cluster_steps import DyingOnce, Step
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertTokenClassifier, BertVectorizer
from sklearn_bert.distributed import dask_transform
from sklearn_bert.exceptions import InputError

pd = pytest.importorskip("pandas")
dd = pytest.importorskip("dask.dataframe")
# Not the package, of which the folder of these tests has the name.
pytest.importorskip("dask.distributed")

pytestmark = pytest.mark.distributed

TOLERANCE = {"rtol": 0, "atol": 5e-6}


@pytest.fixture
def table(texts):
    """Forty texts, with an index that is neither sorted nor unique."""
    return pd.Series(texts, index=[k % 7 for k in range(40)], name="text")


@pytest.fixture
def column(table):
    return dd.from_pandas(table, npartitions=8, sort=False)


class NumberOfThreads(Step):
    def transform(self, X):
        return np.full((len(X), 1), torch.get_num_threads())


def test_features_are_those_of_one_process(vectorizer, column, table):
    result = dask_transform(vectorizer, column)
    assert list(result.columns) == list(vectorizer.get_feature_names_out())
    computed = result.compute(scheduler="sync")
    assert list(computed.index) == list(table.index)
    np.testing.assert_allclose(computed, vectorizer.transform(table), **TOLERANCE)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_table_is_known_before_it_is_computed(classifier, column, method):
    result = dask_transform(classifier, column, method)
    computed = result.compute(scheduler="sync")
    pd.testing.assert_series_equal(
        pd.Series(result._meta.dtypes), pd.Series(computed.dtypes)
    )


def test_pairs_are_two_columns(vectorizer, table):
    pairs = pd.DataFrame({"question": table, "answer": table.to_numpy()[::-1]})
    result = dask_transform(
        vectorizer, dd.from_pandas(pairs, npartitions=3, sort=False)
    )
    np.testing.assert_allclose(
        result.compute(scheduler="sync"), vectorizer.transform(pairs), **TOLERANCE
    )


def test_empty_partitions_have_no_rows(vectorizer, column, table):
    kept = column[column.str.contains("film")]
    result = dask_transform(vectorizer, kept)
    assert 0 in kept.map_partitions(len).compute(scheduler="sync").tolist()
    expected = vectorizer.transform(table[table.str.contains("film")])
    computed = result.compute(scheduler="sync")
    np.testing.assert_allclose(computed, expected, **TOLERANCE)


def test_nothing_but_empty_partitions_is_an_empty_table(vectorizer, column):
    computed = dask_transform(vectorizer, column[column == "-"]).compute()
    assert computed.shape == (0, 32)
    assert set(computed.dtypes) == {np.dtype("float32")}


@pytest.mark.parametrize("missing", ["error", "empty"])
def test_missing_texts_follow_the_parameter(tiny_bert, missing):
    vectorizer = BertVectorizer(tiny_bert, missing=missing)
    table = pd.Series(["a film", "a plot", "a story", None])
    result = dask_transform(vectorizer, dd.from_pandas(table, npartitions=2))
    if missing == "error":
        with pytest.raises(InputError, match="in row 1 of partition 1: "):
            result.compute(scheduler="sync")
    else:
        expected = vectorizer.transform(table)
        np.testing.assert_allclose(result.compute(), expected, **TOLERANCE)


def test_lists_of_words_need_the_columns_of_the_result(tiny_bert):
    pa = pytest.importorskip("pyarrow")
    sentences = [["a", "film"], ["the", "plot"], ["a", "story"]]
    tags = [["O", "B-x"], ["O", "O"], ["O", "B-x"]]
    tagger = BertTokenClassifier(tiny_bert, n_epochs=1).fit(sentences, tags)
    lists = pd.Series(sentences, dtype=pd.ArrowDtype(pa.list_(pa.string())))
    result = dask_transform(
        tagger,
        dd.from_pandas(lists, npartitions=2),
        "predict",
        meta=pd.Series(dtype=object, name="tags"),
    )
    computed = result.compute(scheduler="sync")
    assert computed.name == "tags"
    assert computed.tolist() == list(tagger.predict(sentences))


def test_tables_in_memory_are_refused(vectorizer, table):
    with pytest.raises(TypeError, match="Got a pandas Series"):
        dask_transform(vectorizer, table)


@pytest.mark.parametrize(("scheduler", "share"), [("sync", 1), ("threads", 4)])
def test_tasks_of_a_process_divide_the_cores(monkeypatch, column, scheduler, share):
    monkeypatch.setattr("dask.system.CPU_COUNT", 4)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        result = dask_transform(NumberOfThreads(), column).compute(scheduler=scheduler)
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(n_threads)
    assert set(result["transform0"]) == {4 // share}


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_fine_tuned_encoder_is_loaded_once_per_worker(
    dask_client, dask_loads, tiny_bert, texts, column, table, method
):
    labels = ["good", "bad"] * 20
    classifier = BertClassifier(tiny_bert, n_epochs=1, random_state=0)
    classifier.fit(texts, labels)
    computed = dask_transform(classifier, column, method).compute()
    assert list(computed.index) == list(table.index)
    expected = getattr(classifier, method)(table)
    if method == "predict":
        assert computed.tolist() == expected.tolist()
    else:
        assert list(computed.columns) == ["bad", "good"]
        np.testing.assert_allclose(computed, expected, **TOLERANCE)
    assert dask_loads() == [1, 1]


def test_checkpoint_is_loaded_once_per_worker(
    dask_client, dask_loads, vectorizer, column, table
):
    computed = dask_transform(vectorizer, column).compute()
    np.testing.assert_allclose(computed, vectorizer.transform(table), **TOLERANCE)
    assert dask_loads() == [1, 1]


def test_bad_rows_of_workers_are_named(dask_client, vectorizer, table):
    table = table.astype(object)
    table.iloc[17] = None
    column = dd.from_pandas(table, npartitions=8, sort=False)
    with pytest.raises(InputError, match="in row 2 of partition 3: 1 of 5 rows"):
        dask_transform(vectorizer, column).compute()


def test_parquet_to_parquet(dask_client, classifier, table, tmp_path):
    table.to_frame().to_parquet(tmp_path / "texts.parquet")
    column = dd.read_parquet(tmp_path / "texts.parquet")["text"]
    result = dask_transform(classifier, column, "predict_proba")
    result.to_parquet(tmp_path / "probabilities")
    stored = pd.read_parquet(tmp_path / "probabilities")
    assert list(stored.columns) == list(classifier.classes_)
    expected = classifier.predict_proba(table)
    np.testing.assert_allclose(stored, expected, **TOLERANCE)


def test_partitions_of_a_killed_worker_are_repeated(
    dask_client, vectorizer, column, table, tmp_path
):
    path = tmp_path / "killed"
    pipeline = make_pipeline(DyingOnce(str(path), table.iloc[-1]), vectorizer)
    computed = dask_transform(pipeline, column).compute()
    assert path.exists()
    assert list(computed.index) == list(table.index)
    np.testing.assert_allclose(computed, vectorizer.transform(table), **TOLERANCE)
