"""Numbers of tokens, and what is cut or read in windows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_bert import BertVectorizer
from sklearn_bert.inspection import LengthDisplay

pytestmark = pytest.mark.usefixtures("plt")
# With [CLS] and [SEP], of 4, 10 and 202 tokens.
TEXTS = ["the film", "the film was very good and not long", "good " * 200]


def legend(display):
    (text,) = display.ax_.get_legend().get_texts()
    return text.get_text()


def test_lengths_are_those_before_truncation(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=9)
    display = LengthDisplay.from_estimator(vectorizer, TEXTS)
    assert display.lengths.tolist() == [4, 10, 202]
    assert legend(display) == "max_length=9: 2 of 3 texts (66.7%) cut"


def test_windows_are_not_cut(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=10, long_text="window")
    display = LengthDisplay.from_estimator(vectorizer, TEXTS)
    assert display.n_cut == 0
    assert "0 of 3 texts (0.0%) cut, 1 (33.3%) read in windows" in legend(display)


def test_pairs_have_three_special_tokens(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert)
    display = LengthDisplay.from_estimator(vectorizer, [TEXTS[:2]])
    assert display.lengths.tolist() == [13]


def test_sentences_are_read_in_windows(tagger):
    sentences = [text.split() for text in TEXTS]
    display = LengthDisplay.from_estimator(tagger, sentences)
    assert display.lengths.tolist() == [4, 10, 202]
    assert display.n_cut == 0


def test_a_classifier_is_read_as_it_was_fitted(binary):
    display = LengthDisplay.from_estimator(binary, TEXTS)
    assert display.max_length == binary.max_length_
    assert display.lengths.tolist() == [4, 10, 202]


def test_earlier_steps_of_a_pipeline_are_applied(tiny_bert):
    first = FunctionTransformer(lambda texts: [f"the {text}" for text in texts])
    pipeline = make_pipeline(first, BertVectorizer(tiny_bert), LogisticRegression())
    pipeline.fit(TEXTS[:2], [0, 1])
    display = LengthDisplay.from_estimator(pipeline, TEXTS)
    assert display.lengths.tolist() == [5, 11, 203]


def test_an_estimator_that_reads_no_texts_is_named():
    with pytest.raises(ValueError, match="Got a LogisticRegression"):
        LengthDisplay.from_estimator(make_pipeline(LogisticRegression()), TEXTS)


@pytest.mark.parametrize("max_length", [3, 50, 128, 10_000])
def test_no_bar_is_on_both_sides_of_the_limit(max_length):
    lengths = np.arange(4, 301)
    display = LengthDisplay(lengths, max_length).plot()
    bars = display.ax_.patches
    assert sum(bar.get_height() for bar in bars) == len(lengths)
    longer = [bar for bar in bars if bar.get_x() >= max_length]
    assert sum(bar.get_height() for bar in longer) == max(300 - max(max_length, 3), 0)
    colors = {bar.get_facecolor() for bar in longer}
    assert colors.isdisjoint(bar.get_facecolor() for bar in bars if bar not in longer)


def test_a_distant_limit_leaves_room_for_the_bars():
    low, high = LengthDisplay([10, 20], 8192).plot().ax_.get_xlim()
    assert (low, high) == (0, pytest.approx(42))


def test_axes_may_be_given(plt):
    figure, ax = plt.subplots()
    display = LengthDisplay([5, 5], 5)
    assert display.plot(ax) is display
    assert (display.ax_, display.figure_) == (ax, figure)
    assert len(plt.get_fignums()) == 1
