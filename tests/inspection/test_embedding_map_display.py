"""Maps of features by any projection, for texts with labels or values."""

import numpy as np
import pytest
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_bert import BertVectorizer
from sklearn_bert.inspection import EmbeddingMapDisplay

pytestmark = pytest.mark.usefixtures("plt")
FEATURES = np.random.default_rng(0).normal(size=(6, 4))


def test_the_default_is_the_first_two_components():
    display = EmbeddingMapDisplay.from_embeddings(FEATURES)
    pca = PCA(2).fit(FEATURES)
    np.testing.assert_allclose(display.coordinates, pca.transform(FEATURES))
    (points,) = display.ax_.collections
    np.testing.assert_array_equal(points.get_offsets(), display.coordinates)
    share = pca.explained_variance_ratio_[1]
    assert display.ax_.get_ylabel() == f"PCA 2 ({share:.0%} of the variance)"


def test_a_clone_of_the_projection_is_fitted():
    projection = TruncatedSVD(2, random_state=0)
    display = EmbeddingMapDisplay.from_embeddings(FEATURES, projection=projection)
    np.testing.assert_allclose(display.coordinates, projection.fit_transform(FEATURES))
    projection = TruncatedSVD(2)
    EmbeddingMapDisplay.from_embeddings(FEATURES, projection=projection)
    assert not hasattr(projection, "components_")
    assert display.ax_.get_xlabel() == "TruncatedSVD 1"


def test_labels_have_a_legend():
    display = EmbeddingMapDisplay.from_embeddings(FEATURES, list("ababab"))
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]


def test_floats_have_a_color_bar():
    values = np.array([0.5, 1, np.nan, 2, 3, 4])
    display = EmbeddingMapDisplay.from_embeddings(FEATURES, values)
    display.figure_.canvas.draw()
    points = display.ax_.collections[0]
    np.testing.assert_array_equal(points.get_array().filled(np.nan), values)
    assert points.get_clim() == (0.5, 4)
    assert display.ax_.get_legend() is None
    assert len(display.figure_.axes) == 2


def test_the_predictor_of_a_pipeline_is_left_out(tiny_bert, texts):
    steps = BertVectorizer(tiny_bert), StandardScaler()
    pipeline = make_pipeline(*steps, LogisticRegression())
    pipeline.fit(texts, np.arange(len(texts)) % 2)
    display = EmbeddingMapDisplay.from_estimator(pipeline, texts)
    expected = EmbeddingMapDisplay.from_embeddings(pipeline[:-1].transform(texts))
    np.testing.assert_allclose(display.coordinates, expected.coordinates)


def test_features_are_those_of_transform(binary, texts):
    display = EmbeddingMapDisplay.from_estimator(binary, texts)
    expected = EmbeddingMapDisplay.from_embeddings(binary.transform(texts))
    np.testing.assert_allclose(display.coordinates, expected.coordinates)


def test_an_estimator_without_features_is_named():
    with pytest.raises(ValueError, match="Got a LogisticRegression, which has no tran"):
        EmbeddingMapDisplay.from_estimator(LogisticRegression(), ["a text"])


def test_a_projection_has_two_components():
    with pytest.raises(ValueError, match=r"Got an array of shape \(6, 3\)"):
        EmbeddingMapDisplay.from_embeddings(FEATURES, projection=PCA(3))


@pytest.mark.parametrize("y", [np.zeros(5), np.zeros((6, 2))])
def test_there_is_one_label_for_each_text(y):
    with pytest.raises(ValueError, match="one label for each of 6 texts"):
        EmbeddingMapDisplay.from_embeddings(FEATURES, y)


def test_axes_may_be_given(plt):
    figure, ax = plt.subplots()
    display = EmbeddingMapDisplay(FEATURES[:, :2])
    assert display.plot(ax) is display
    assert (display.ax_, display.figure_) == (ax, figure)
    assert len(plt.get_fignums()) == 1
