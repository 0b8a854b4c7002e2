"""Ray Data gives the result of one process, whatever happens to its actors."""

import sys

import cluster_steps
import numpy as np
import pytest
from cluster_steps import CountingLoads, DyingOnce, Threads
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertTokenClassifier, BertVectorizer, config_context
from sklearn_bert.distributed import ray_transform
from sklearn_bert.exceptions import InputError, TruncationWarning

pa = pytest.importorskip("pyarrow")
# Not the package, of which a folder of tests may have the name.
data = pytest.importorskip("ray.data")

TOLERANCE = {"rtol": 0, "atol": 5e-6}
# Ray warns about options that it sets itself.
pytestmark = pytest.mark.filterwarnings(r"ignore:::ray\..*")


@pytest.fixture
def table(texts):
    """Forty texts with their numbers."""
    return pa.table({"id": range(40), "text": texts})


class TableInMemory(data.Dataset):
    """A Dataset whose actors are in this process, and compute at once."""

    def __init__(self, table):
        self.table = table

    def __repr__(self):
        return "TableInMemory()"

    def __del__(self):
        pass

    def map_batches(self, actor, *, fn_constructor_args, batch_size, **options):
        call = actor(*fn_constructor_args)
        starts = range(0, len(self.table), batch_size)
        results = [call(self.table.slice(k, batch_size)) for k in starts]
        return pa.concat_tables(results)


@pytest.fixture
def transform(monkeypatch):
    """Return `ray_transform` without a cluster, from table to table."""
    monkeypatch.setattr("ray.put", lambda value: value)
    monkeypatch.setattr("ray.get", lambda value: value)
    return lambda estimator, table, *args, **options: ray_transform(
        estimator, TableInMemory(table), *args, **options
    )


def numbers_of(column):
    return np.array(column.to_pylist())


def test_vectors_are_lists_of_fixed_size_beside_the_other_columns(
    transform, vectorizer, table, texts
):
    result = transform(vectorizer, table, "text", batch_size=7)
    assert result.column_names == ["id", "text", "transform"]
    assert result.schema.field("transform").type == pa.list_(pa.float32(), 32)
    assert result.select(["id", "text"]) == table
    expected = vectorizer.transform(texts)
    np.testing.assert_allclose(numbers_of(result["transform"]), expected, **TOLERANCE)


def test_pairs_are_two_columns(transform, vectorizer, table, texts):
    result = transform(vectorizer, table, ["text", "text"])
    expected = vectorizer.transform([[text, text] for text in texts])
    np.testing.assert_allclose(numbers_of(result["transform"]), expected, **TOLERANCE)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_pipelines_predict(transform, vectorizer, table, texts, method):
    pipeline = make_pipeline(vectorizer, LogisticRegression(max_iter=1000))
    pipeline.fit(texts, ["good", "bad"] * 20)
    result = transform(pipeline, table, "text", method)[method]
    expected = getattr(pipeline, method)(texts)
    if method == "predict":
        assert result.to_pylist() == expected.tolist()
    else:
        np.testing.assert_allclose(numbers_of(result), expected, **TOLERANCE)


def test_words_get_tags(transform, tiny_bert):
    sentences = [["a", "film"], ["the", "plot"], ["a", "long", "story"]]
    tags = [["O", "B-x"], ["O", "O"], ["O", "O", "B-x"]]
    tagger = BertTokenClassifier(tiny_bert, n_epochs=1).fit(sentences, tags)
    table = pa.table({"words": [*sentences, []]})
    # The last batch contains no tag.
    result = transform(tagger, table, "words", "predict", batch_size=3)
    assert result["predict"].to_pylist() == [*tagger.predict(sentences), []]


def test_columns_have_the_names_of_those_of_fit(transform, vectorizer, table, texts):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"review": texts, "stars": range(40)})
    columns = ColumnTransformer(
        [("text", vectorizer, "review"), ("number", "passthrough", ["stars"])]
    ).fit(frame)
    result = transform(columns, table, ["text", "id"])["transform"]
    expected = columns.transform(frame)
    np.testing.assert_allclose(numbers_of(result), expected, **TOLERANCE)


@pytest.fixture
def holed(table):
    """The table with a missing text, in row 3 of the second batch of ten."""
    texts = table["text"].to_pylist()
    texts[13] = None
    return table.set_column(1, "text", pa.array(texts))


def test_bad_rows_are_found_by_the_other_columns(transform, vectorizer, holed):
    place = r"in row 3 of the batch that begins with \{'id': 10\}: 1 of 10 rows"
    with pytest.raises(InputError, match=place):
        transform(vectorizer, holed, "text", batch_size=10)


def test_hidden_values_leave_the_number_of_the_batch(transform, vectorizer, holed):
    with (
        config_context(show_values=False),
        pytest.raises(InputError, match="in row 3 of batch 1 of an actor"),
    ):
        transform(vectorizer, holed, "text", batch_size=10)


def test_missing_texts_may_be_empty(transform, tiny_bert, holed, texts):
    vectorizer = BertVectorizer(tiny_bert, missing="empty")
    result = transform(vectorizer, holed, "text")["transform"]
    expected = vectorizer.transform([*texts[:13], "", *texts[14:]])
    np.testing.assert_allclose(numbers_of(result), expected, **TOLERANCE)


def test_an_actor_warns_once(transform, tiny_bert):
    table = pa.table({"text": ["a film and a plot", "a", "a film and a story"]})
    with pytest.warns(TruncationWarning, match="2 of 3 texts") as caught:
        transform(BertVectorizer(tiny_bert, max_length=4), table, "text", batch_size=1)
    assert len(caught) == 1


def test_column_with_the_name_of_the_method_is_kept(transform, vectorizer, table):
    table = table.rename_columns(["transform", "text"])
    with pytest.raises(ValueError, match="Rename it"):
        transform(vectorizer, table, "text")


def test_tables_in_memory_are_refused(vectorizer, table):
    with pytest.raises(TypeError, match="Got a pyarrow Table"):
        ray_transform(vectorizer, table, "text")


@pytest.fixture(scope="module")
def cluster(ray_cluster):
    """A cluster of two cores on this machine, which keeps the order of rows."""
    # Workers cannot import tests.
    for module in (cluster_steps, sys.modules[__name__]):
        ray_cluster.cloudpickle.register_pickle_by_value(module)
    context = data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False


@pytest.fixture
def dataset(cluster, table):
    """The table in eight blocks."""
    return data.from_arrow([table.slice(k, 5) for k in range(0, 40, 5)])


@pytest.mark.distributed
def test_each_actor_loads_the_encoder_once(dataset, tiny_bert, texts, tmp_path):
    vectorizer = CountingLoads(tiny_bert)
    vectorizer.folder = tmp_path
    actors = data.ActorPoolStrategy(size=2)
    result = ray_transform(vectorizer, dataset, "text", batch_size=5, compute=actors)
    rows = result.take_all()
    assert [row["id"] for row in rows] == list(range(40))
    loads = [path.name.split("-")[0] for path in tmp_path.iterdir()]
    assert 1 <= len(loads) <= 2
    assert len(set(loads)) == len(loads)
    computed = [row["transform"] for row in rows]
    expected = BertVectorizer(tiny_bert).transform(texts)
    np.testing.assert_allclose(computed, expected, **TOLERANCE)


@pytest.mark.distributed
def test_batches_of_a_killed_actor_are_repeated(dataset, vectorizer, texts, tmp_path):
    path = tmp_path / "killed"
    pipeline = make_pipeline(DyingOnce(str(path), texts[-1]), vectorizer)
    actor = data.ActorPoolStrategy(size=1)
    result = ray_transform(pipeline, dataset, "text", batch_size=5, compute=actor)
    rows = result.take_all()
    assert path.exists()
    computed = [row["transform"] for row in rows]
    np.testing.assert_allclose(computed, vectorizer.transform(texts), **TOLERANCE)


@pytest.mark.distributed
def test_bad_rows_of_actors_are_named(cluster, vectorizer, holed):
    from ray.exceptions import RayTaskError

    dataset = data.from_arrow([holed.slice(k, 10) for k in range(0, 40, 10)])
    place = r"in row 3 of the batch that begins with \{'id': 10\}"
    with pytest.raises(RayTaskError, match=place):
        ray_transform(vectorizer, dataset, "text", batch_size=10).take_all()


@pytest.mark.distributed
def test_actor_uses_its_cores(dataset, vectorizer):
    pipeline = make_pipeline(vectorizer, Threads())
    rows = ray_transform(pipeline, dataset, "text", num_cpus=2).take_all()
    assert {tuple(row["transform"]) for row in rows} == {(2, 2)}
