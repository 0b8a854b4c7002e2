"""Words are colored by sign and size, and nothing of them is markup."""

import re

import numpy as np
import pytest
from sklearn.utils import Bunch

from sklearn_bert.inspection._attribution_html import name_words, show_attributions


@pytest.fixture
def make():
    def call(words, contributions, **changes):
        n = len(words)
        given = {
            "words": words,
            "contributions": np.array(contributions),
            "target": "up",
            "columns": np.zeros(n, dtype=int),
            "spans": np.array([[10 * k, 10 * k + 5] for k in range(n)]),
        }
        return Bunch(**given | changes)

    return call


def shares(html):
    """Return the opacity of the colors after the legend."""
    return [float(x) for x in re.findall(r"rgba\(\d+,\d+,\d+,([\d.]+)\)", html)][2:]


def test_colors_have_the_sign_and_the_size_of_contributions(make):
    html = show_attributions([make(["good", "film", "not"], [2.0, 0.0, -1.0])])
    assert shares(html) == [0.5, 0, 0.25]
    assert re.findall(r"rgba\((\d+)", html)[2::2] == ["33", "178"]
    assert 'title="+2"' in html


def test_words_and_targets_are_escaped(make):
    html = show_attributions([make(["<b>", '"&'], [1.0, 1.0], target="<i>")])
    assert "<b>&lt;i&gt;</b>: " in html
    assert ">&lt;b&gt;</span>" in html
    assert "&quot;&amp;" in html


def test_dollar_signs_are_no_formula_in_jupyter(make):
    html = show_attributions([make(["$x$"], [1.0])])
    assert html.startswith('<div class="tex2jax_ignore mathjax_ignore">')


def test_words_that_are_not_seen_are_pale(make):
    html = show_attributions([make(["good", "film"], [1.0, np.nan])])
    assert shares(html) == [0.5]
    assert 'style="opacity:0.5">film<' in html


def test_texts_are_shown_as_they_are_separated(make):
    spans = np.array([[0, 1], [1, 2], [3, 4], [0, 1]])
    columns = np.array([0, 0, 0, 1])
    html = show_attributions([make([*"abcd"], [1.0] * 4, spans=spans, columns=columns)])
    text = re.sub("<[^>]*>", "", html)
    assert text.endswith("up: ab c | d")


def test_each_tag_has_a_paragraph(make):
    one = make(["Ann", "left"], np.eye(2), target=["B", "O"], positions=[0, 1])
    del one["spans"]
    assert name_words(one) == ["Ann (B)", "left (O)"]
    text = re.sub("<[^>]*>", "\n", show_attributions([one])).split("\n")
    assert "Ann (B)" in text
    assert "left (O)" in text


def test_texts_without_contributions_are_shown(make):
    html = show_attributions([make([], []), make(["film"], [0.0])])
    assert html.count("<b>up</b>") == 2
