"""mlflow logs a model in its default format, and loads it in both of its flavors."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from saving.cases import TEXTS
from sklearn_bert import BertVectorizer


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """A tracking store in a folder, without a server, and nothing sent to anybody."""
    pytest.importorskip("mlflow", exc_type=ImportError)
    pytest.importorskip("skops")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        # Of a function of mlflow itself, while it is imported.
        warnings.filterwarnings("ignore", ".*hint is inferred as AnyType", UserWarning)
        import mlflow.pyfunc
        import mlflow.sklearn

        before = mlflow.get_tracking_uri()
        folder = tmp_path_factory.mktemp("mlflow") / "runs"
        mlflow.set_tracking_uri(folder.as_uri())
        yield mlflow
        mlflow.set_tracking_uri(before)


def log(mlflow, model, *types):
    with mlflow.start_run():
        return mlflow.sklearn.log_model(
            model,
            name="model",
            skops_trusted_types=[f"sklearn_bert.{name}" for name in types],
            # Otherwise a process that imports everything finds them, in a minute.
            pip_requirements=["scikit-learn"],
        )


def test_a_classifier_is_logged_in_the_default_format(mlflow, case):
    pd = pytest.importorskip("pandas")
    one = case("classes of texts")
    info = log(mlflow, one.estimator, "BertClassifier")
    assert info.flavors["sklearn"]["serialization_format"] == "skops"

    loaded = mlflow.sklearn.load_model(info.model_uri)
    assert one.answers(loaded) == one.answers()

    served = mlflow.pyfunc.load_model(info.model_uri)
    expected = one.estimator.predict(TEXTS)
    assert np.array_equal(served.predict(pd.DataFrame({"text": TEXTS})), expected)
    assert np.array_equal(served.predict(TEXTS), expected)


def test_a_pipeline_is_logged_in_the_default_format(mlflow, tiny_bert):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"text": TEXTS})
    pipeline = make_pipeline(BertVectorizer(str(tiny_bert)), LogisticRegression())
    pipeline.fit(frame, ["a", "b"] * 6)
    info = log(mlflow, pipeline, "BertVectorizer")
    loaded = mlflow.sklearn.load_model(info.model_uri)
    assert np.array_equal(loaded.predict_proba(frame), pipeline.predict_proba(frame))
    served = mlflow.pyfunc.load_model(info.model_uri)
    assert np.array_equal(served.predict(frame), pipeline.predict(frame))


def test_mlflow_names_the_types_that_must_be_trusted(mlflow, case):
    with pytest.raises(mlflow.MlflowException, match=r"sklearn_bert\.BertTokenizer"):
        log(mlflow, case("ids").estimator)
