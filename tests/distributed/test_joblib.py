"""The backends of joblib for clusters give the scores of one process."""

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertClassifier, BertVectorizer

pytestmark = pytest.mark.distributed

OPTIONS = {"scoring": "neg_log_loss", "cv": 2}


@pytest.fixture
def labels():
    return ["good", "bad"] * 20


@pytest.fixture
def model(tiny_bert):
    return make_pipeline(BertVectorizer(tiny_bert), LogisticRegression(max_iter=1000))


def test_dask_searches_like_one_process(
    dask_client, dask_loads, encoded_texts, model, texts, labels
):
    search = GridSearchCV(model, {"logisticregression__C": [0.1, 1]}, cv=3, refit=False)
    with joblib.parallel_config(backend="dask"):
        found = search.fit(texts, labels).cv_results_["mean_test_score"]
    assert encoded_texts == []
    # joblib may leave one of the workers without a task.
    assert set(dask_loads()) <= {0, 1}
    expected = search.fit(texts, labels).cv_results_["mean_test_score"]
    np.testing.assert_allclose(found, expected)


def test_dask_fine_tunes_like_one_process(dask_client, tiny_bert, texts, labels):
    classifier = BertClassifier(tiny_bert, n_epochs=1, random_state=0)
    with joblib.parallel_config(backend="dask"):
        found = cross_validate(classifier, texts, labels, **OPTIONS)["test_score"]
    expected = cross_validate(classifier, texts, labels, **OPTIONS)["test_score"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-6)


@pytest.mark.filterwarnings("ignore:The 'context' argument is not supported")
def test_ray_validates_like_one_process(
    ray_cluster, encoded_texts, model, texts, labels
):
    register_ray = pytest.importorskip("ray.util.joblib").register_ray
    register_ray()
    with joblib.parallel_config(backend="ray", n_jobs=2):
        found = cross_validate(model, texts, labels, **OPTIONS)["test_score"]
    assert encoded_texts == []
    expected = cross_validate(model, texts, labels, **OPTIONS)["test_score"]
    np.testing.assert_allclose(found, expected)
