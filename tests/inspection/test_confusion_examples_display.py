"""Confident mistakes first, and texts shown as they are."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.utils import Bunch

from sklearn_bert.inspection import ConfusionExamplesDisplay

pytestmark = pytest.mark.usefixtures("plt")
CLASSES = ["bad", "good"]
# Rows 0, 2 and 3 are mistakes.
TRUE = ["good", "bad", "bad", "good"]
PROBABILITIES = [[0.6, 0.4], [0.9, 0.1], [0.1, 0.9], [0.7, 0.3]]
TEXTS = ["first", "second", "third", "fourth"]


def lines(display):
    display.figure_.canvas.draw()
    return [text.get_text() for text in display.ax_.texts if text.get_text()]


def test_the_most_confident_mistakes_are_first():
    display = ConfusionExamplesDisplay.from_predictions(
        TRUE, PROBABILITIES, TEXTS, CLASSES, 2
    )
    assert display.examples == [
        Bunch(row=2, text="third", true="bad", predicted="good", probability=0.9),
        Bunch(row=3, text="fourth", true="good", predicted="bad", probability=0.7),
    ]
    assert lines(display) == [
        "3 of 4 texts are classified wrongly. The most confident:",
        "true: bad, predicted: good (90.0%)",
        "third",
        "true: good, predicted: bad (70.0%)",
        "fourth",
    ]


def test_from_estimator_reads_the_probabilities_of_a_classifier(binary, texts):
    wrong = np.where(binary.predict(texts) == "up", "down", "up")
    display = ConfusionExamplesDisplay.from_estimator(binary, texts, wrong, 3)
    assert display.n_mistakes == len(texts)
    largest = np.sort(binary.predict_proba(texts).max(axis=1))[::-1]
    np.testing.assert_array_equal(
        [one.probability for one in display.examples], largest[:3]
    )
    assert display.examples[0].text == texts[display.examples[0].row]


def test_no_mistakes_are_a_sentence():
    display = ConfusionExamplesDisplay.from_predictions(
        ["bad"], [[0.9, 0.1]], ["text"], CLASSES
    )
    assert lines(display) == ["0 of 1 texts are classified wrongly."]
    assert "<td" not in display._repr_html_()


def test_pairs_are_joined():
    display = ConfusionExamplesDisplay.from_predictions(
        ["good"], [[0.9, 0.1]], [("a question", "an answer")], CLASSES
    )
    assert display.examples[0].text == "a question | an answer"


def test_long_texts_are_cut_in_the_figure_alone():
    text = "word " * 200 + "end"
    display = ConfusionExamplesDisplay.from_predictions(
        ["good"], [[0.9, 0.1]], [text], CLASSES
    )
    *_, last = shown = lines(display)
    assert len(shown) == 2 + 3
    assert last.endswith(" …")
    assert "end</td>" in display._repr_html_()


def test_markup_and_formulas_are_text():
    display = ConfusionExamplesDisplay.from_predictions(
        ["<b>"], [[0.9, 0.1]], ["<script> $x_$ & more"], ["<i>", "<b>"]
    )
    assert "<script> $x_$ & more" in lines(display)
    html = display._repr_html_()
    assert "&lt;script&gt; $x_$ &amp; more" in html
    assert "&lt;i&gt;" in html
    assert "mathjax_ignore" in html


@pytest.mark.parametrize(
    ("y", "probabilities"),
    [(np.eye(2), np.eye(2)), ([0, 1], np.ones((2, 3))), ([0, 1], np.ones(2))],
)
def test_each_text_has_one_class(y, probabilities):
    with pytest.raises(ValueError, match="one probability for each of 2 classes"):
        ConfusionExamplesDisplay.from_predictions(y, probabilities, TEXTS[:2], CLASSES)


def test_an_estimator_without_probabilities_is_named():
    with pytest.raises(ValueError, match="Got a LinearRegression"):
        ConfusionExamplesDisplay.from_estimator(LinearRegression(), TEXTS, TRUE)


def test_axes_may_be_given(plt):
    figure, ax = plt.subplots()
    display = ConfusionExamplesDisplay([], 0, 1)
    assert display.plot(ax) is display
    assert (display.ax_, display.figure_) == (ax, figure)
    assert len(plt.get_fignums()) == 1
