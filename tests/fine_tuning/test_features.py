"""The features that fine-tuners give as transformers."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone


@pytest.fixture(scope="module")
def fitted(make, texts):
    return make(n_epochs=1, dtype="float32").fit(texts, np.arange(40) % 3)


def test_the_linear_layer_reads_what_transform_gives(fitted, texts):
    features = fitted.transform(texts)
    assert features.shape == (40, 32)
    scores = features @ fitted.coef_.T + fitted.intercept_
    np.testing.assert_allclose(fitted.decision_function(texts), scores, atol=1e-5)
    names = fitted.get_feature_names_out()
    assert list(names[:2]) == ["bertclassifier0", "bertclassifier1"]
    assert len(names) == 32


def test_two_classes_have_one_row_as_in_scikit_learn(make, texts, labels):
    fitted = make(n_epochs=1, dtype="float32").fit(texts, labels)
    assert (fitted.coef_.shape, fitted.intercept_.shape) == ((1, 32), (1,))
    scores = fitted.transform(texts) @ fitted.coef_.T + fitted.intercept_
    found = fitted.decision_function(texts)
    np.testing.assert_allclose(found, scores.ravel(), atol=1e-5)
    np.testing.assert_allclose(fitted.predict_proba(texts)[:, 1], expit(found), 1e-5)
    assert fitted.predict(texts).tolist() == (found > 0).tolist()


def test_set_output_gives_named_features(fitted, texts):
    frame = (
        clone(fitted).set_output(transform="pandas").fit_transform(texts, [0, 1] * 20)
    )
    assert frame.shape == (40, 32)
    assert frame.columns[0] == "bertclassifier0"
