"""Figures of contributions, in the order of the text."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from sklearn_bert.inspection import TokenAttributionDisplay

pytestmark = pytest.mark.usefixtures("plt")
TEXTS = ["the film was very good", "a dull story"]


@pytest.fixture
def display():
    one = Bunch(
        words=["$a", "good$", "film", "not"],
        contributions=np.array([0.5, 2.0, np.nan, -1.0]),
        target="$up$",
        columns=np.zeros(4, dtype=int),
    )
    return TokenAttributionDisplay([one])


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_bars_are_contributions(display):
    assert display.plot() is display
    assert labels(display.ax_.yaxis) == ["$a", "good$", "film", "not"]
    assert [bar.get_width() for bar in display.ax_.patches] == [0.5, 2, 0, -1]
    blue, _, _, red = [bar.get_facecolor() for bar in display.ax_.patches]
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    # Dollar signs are no formulas.
    display.figure_.canvas.draw()


def test_the_largest_contributions_are_shown_in_order(display):
    display.plot(n_words=2)
    assert labels(display.ax_.yaxis) == ["good$", "not"]
    low, high = sorted(display.ax_.get_ylim())
    assert (low, high) == tuple(display.ax_.get_ylim()[::-1])


def test_axes_may_be_given(display, plt):
    figure, ax = plt.subplots()
    display.plot(ax)
    assert (display.ax_, display.figure_) == (ax, figure)
    assert len(plt.get_fignums()) == 1


def test_from_estimator_explains_all_texts_and_draws_one(binary):
    display = TokenAttributionDisplay.from_estimator(
        binary, TEXTS, "up", "occlusion", row=1
    )
    assert [one.target for one in display.attributions] == ["up", "up"]
    assert labels(display.ax_.yaxis) == TEXTS[1].split()
    assert "story" in display._repr_html_()


def test_a_sentence_is_a_table(tagger):
    display = TokenAttributionDisplay.from_estimator(tagger, [TEXTS[0].split()])
    (one,) = display.attributions
    assert labels(display.ax_.xaxis) == one.words
    (image,) = display.ax_.get_images()
    np.testing.assert_array_equal(image.get_array(), one.contributions)
    assert image.get_clim()[0] == -image.get_clim()[1]


@pytest.mark.parametrize("kind", ["binary", "tagger"])
def test_a_text_without_words_is_an_empty_figure(kind, request):
    estimator, X = request.getfixturevalue(kind), [[]] if kind == "tagger" else [""]
    display = TokenAttributionDisplay.from_estimator(estimator, X)
    display.figure_.canvas.draw()
    assert labels(display.ax_.yaxis) == []
