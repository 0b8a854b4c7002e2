"""Spark gives the result of one process, whatever happens to its workers."""

import os
import sys
from types import SimpleNamespace

import cluster_steps
import numpy as np
import pytest
from cluster_steps import CountingLoads, DyingOnce, Threads
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_bert import (
    BertClassifier,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
)
from sklearn_bert.distributed import spark_udf
from sklearn_bert.exceptions import InputError, TruncationWarning

pd = pytest.importorskip("pandas")
# Not the package, of which a folder of tests may have the name.
pytest.importorskip("pyspark.sql")

TOLERANCE = {"rtol": 0, "atol": 5e-6}
pytestmark = [
    pytest.mark.distributed,
    # Remove when PySpark supports pandas 3.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]


@pytest.fixture(scope="module")
def spark():
    """A session on this machine, with two tasks at a time and four attempts."""
    from pyspark import cloudpickle
    from pyspark.sql import SparkSession

    # Workers cannot import tests.
    for module in (cluster_steps, sys.modules[__name__]):
        cloudpickle.register_pickle_by_value(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        cluster_steps.remove_thread_limits(patch)
        session = (
            SparkSession.builder.master("local[2,4]")
            .config("spark.driver.memory", "1g")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .getOrCreate()
        )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture
def table(spark, texts):
    """Forty texts with their numbers, in four partitions."""
    rows = spark.sparkContext.parallelize(list(enumerate(texts)), 4)
    return rows.toDF("id bigint, text string")


def collect(table, column):
    """Return the values of a column, in the order of the rows."""
    rows = table.select("id", column.alias("result")).collect()
    return [row.result for row in sorted(rows)]


def test_features_are_those_of_one_process(table, vectorizer, texts):
    result = table.withColumn("features", spark_udf(vectorizer)("text"))
    assert result.dtypes[-1] == ("features", "array<float>")
    rows = sorted(result.collect())
    assert [row.text for row in rows] == texts
    expected = vectorizer.transform(texts)
    computed = [row.features for row in rows]
    np.testing.assert_allclose(computed, expected, **TOLERANCE)


def test_encoder_is_loaded_once_per_process(table, tiny_bert, tmp_path):
    vectorizer = CountingLoads(tiny_bert)
    vectorizer.folder = tmp_path
    function = spark_udf(vectorizer, return_type="array<float>")
    for _ in range(2):
        collect(table, function("text"))
    loads = [path.name.split("-")[0] for path in tmp_path.iterdir()]
    assert 1 <= len(loads) <= 2
    assert len(set(loads)) == len(loads)


def test_pairs_are_two_columns(table, vectorizer, texts):
    computed = collect(table, spark_udf(vectorizer)("text", "text"))
    expected = vectorizer.transform([[text, text] for text in texts])
    np.testing.assert_allclose(computed, expected, **TOLERANCE)


@pytest.mark.parametrize(
    ("method", "kind"), [("predict", "string"), ("predict_proba", "array<float>")]
)
def test_pipelines_predict(table, classifier, texts, method, kind):
    function = spark_udf(classifier, method)
    assert function.returnType.simpleString() == kind
    computed, expected = collect(table, function("text")), getattr(classifier, method)
    if method == "predict":
        assert computed == expected(texts).tolist()
    else:
        np.testing.assert_allclose(computed, expected(texts), **TOLERANCE)


@pytest.mark.parametrize(
    ("estimator", "y", "kind"),
    [
        (BertClassifier, [0, 1] * 20, "bigint"),
        (BertClassifier, [[0, 1], [1, 0]] * 20, "array<bigint>"),
        (BertClassifier, [False, True] * 20, "boolean"),
        (BertRegressor, [0.5, 1.5] * 20, "double"),
    ],
)
def test_types_of_predictions(table, tiny_bert, texts, estimator, y, kind):
    fitted = estimator(tiny_bert, n_epochs=1, random_state=0).fit(texts, y)
    function = spark_udf(fitted, "predict")
    assert function.returnType.simpleString() == kind
    expected = fitted.predict(texts)
    np.testing.assert_allclose(collect(table, function("text")), expected, **TOLERANCE)


@pytest.mark.parametrize(
    ("outside", "begin", "kind"),
    [("O", "B-x", "array<string>"), (0, 1, "array<bigint>")],
)
def test_words_get_tags(spark, tiny_bert, outside, begin, kind):
    sentences = [["a", "film"], ["the", "plot"], ["a", "long", "story"]]
    tags = [[outside, begin], [outside] * 2, [outside, outside, begin]]
    tagger = BertTokenClassifier(tiny_bert, n_epochs=1).fit(sentences, tags)
    table = spark.createDataFrame(
        list(enumerate(sentences)), "id bigint, words array<string>"
    )
    function = spark_udf(tagger, "predict")
    assert function.returnType.simpleString() == kind
    assert collect(table, function("words")) == list(tagger.predict(sentences))


def test_columns_have_the_names_of_those_of_fit(table, vectorizer, texts):
    frame = pd.DataFrame({"review": texts, "stars": np.arange(40) % 5})
    columns = ColumnTransformer(
        [("text", vectorizer, "review"), ("number", "passthrough", ["stars"])]
    ).fit(frame)
    function = spark_udf(columns, return_type="array<double>")
    computed = collect(table, function("text", table["id"] % 5))
    np.testing.assert_allclose(computed, columns.transform(frame), **TOLERANCE)


def test_type_that_cannot_be_found_is_asked_for(spark, vectorizer, texts):
    frame = pd.DataFrame({"review": texts, "stars": np.arange(40.0)})
    numbers = make_pipeline(
        ColumnTransformer([("number", "passthrough", ["stars"])]), LogisticRegression()
    ).fit(frame, [0, 1] * 20)
    with pytest.raises(ValueError, match="could not convert") as caught:
        spark_udf(numbers, "predict")
    assert "Pass return_type" in caught.value.__notes__[0]


def test_missing_texts_may_be_empty(spark, tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, missing="empty")
    table = spark.createDataFrame([(0, "a film"), (1, None)], "id bigint, text string")
    computed = collect(table, spark_udf(vectorizer)("text"))
    expected = vectorizer.transform(["a film", ""])
    np.testing.assert_allclose(computed, expected, **TOLERANCE)


def test_bad_rows_are_named(spark, vectorizer, texts):
    from pyspark.errors import PythonException

    rows = list(enumerate([*texts[:27], None, *texts[28:]]))
    table = spark.sparkContext.parallelize(rows, 4).toDF("id bigint, text string")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 4)
    try:
        with pytest.raises(PythonException, match="in row 7 of partition 2: 1 of 4"):
            collect(table, spark_udf(vectorizer)("text"))
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")


def test_tasks_of_a_killed_process_are_repeated(table, vectorizer, texts, tmp_path):
    path = tmp_path / "killed"
    pipeline = make_pipeline(DyingOnce(str(path), texts[-1]), vectorizer)
    computed = collect(table, spark_udf(pipeline)("text"))
    assert path.exists()
    expected = vectorizer.transform(texts)
    np.testing.assert_allclose(computed, expected, **TOLERANCE)


def test_a_process_uses_the_cores_of_its_task(table, vectorizer):
    pipeline = make_pipeline(vectorizer, Threads())
    function = spark_udf(pipeline, return_type="array<bigint>")
    assert collect(table, function("text")) == [[1, 1]] * 40


@pytest.fixture
def call_as_task(spark, monkeypatch):
    """Return a function that calls a UDF as a task does, in this process."""

    def call(function, *batches, gpus=()):
        resources = {"gpu": SimpleNamespace(addresses=gpus)} if gpus else {}
        task = SimpleNamespace(partitionId=lambda: 3, resources=lambda: resources)
        monkeypatch.setattr("pyspark.TaskContext.get", lambda: task)
        return list(function.func(iter([pd.Series(texts) for texts in batches])))

    return call


def test_a_task_sees_its_gpu(call_as_task, vectorizer, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    call_as_task(spark_udf(vectorizer), ["a film"], gpus=["2"])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"


def test_batches_of_a_partition_are_counted_together(call_as_task, tiny_bert):
    function = spark_udf(BertVectorizer(tiny_bert, max_length=4))
    long = "a film and a plot"
    with pytest.warns(TruncationWarning, match="2 of 3 texts") as caught:
        call_as_task(function, [long, "a"], [long])
    assert len(caught) == 1
    with pytest.raises(InputError, match="in row 2 of partition 3"):
        call_as_task(function, ["a", "a"], [None])


def test_no_session_is_refused(vectorizer, monkeypatch):
    monkeypatch.setattr("pyspark.sql.SparkSession.getActiveSession", lambda: None)
    with pytest.raises(RuntimeError, match="Got no session"):
        spark_udf(vectorizer)
