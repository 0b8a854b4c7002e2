"""Estimators and Parquet files for streaming."""

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertRegressor, BertVectorizer

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="session")
def vectorizer(tiny_bert):
    return BertVectorizer(tiny_bert)


@pytest.fixture(scope="session")
def labels(texts):
    return ["good" if len(text) % 2 else "bad" for text in texts]


@pytest.fixture(scope="session")
def classifier(tiny_bert, texts, labels):
    return BertClassifier(tiny_bert, n_epochs=1, random_state=0).fit(texts, labels)


@pytest.fixture(scope="session")
def regressor(tiny_bert, texts):
    regressor = BertRegressor(tiny_bert, n_epochs=1, random_state=0)
    return regressor.fit(texts, [float(len(text)) for text in texts])


@pytest.fixture(scope="session")
def pipeline(tiny_bert, texts, labels):
    return make_pipeline(BertVectorizer(tiny_bert), LogisticRegression()).fit(
        texts, labels
    )


@pytest.fixture
def source(tmp_path, texts):
    """A folder of two files of 25 and 15 rows, in row groups of 10."""
    folder = tmp_path / "source"
    folder.mkdir()
    table = pa.table({"id": range(len(texts)), "text": texts})
    for name, part in (("a", table.slice(0, 25)), ("b", table.slice(25))):
        pq.write_table(part, folder / f"{name}.parquet", row_group_size=10)
    return folder
