"""What of a long text is read, and who is told."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_bert import BertVectorizer
from sklearn_bert.exceptions import TruncationWarning


def test_truncate_keeps_the_beginning(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6)
    with pytest.warns(TruncationWarning):
        cut = vectorizer.transform(["good film with a dull plot"])
    np.testing.assert_allclose(cut, vectorizer.transform(["good film with a"]), 1e-5)


def test_head_tail_keeps_a_quarter_and_three_quarters(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6, long_text="head_tail")
    with pytest.warns(TruncationWarning):
        cut = vectorizer.transform(["good film with a dull plot"])
    np.testing.assert_allclose(cut, vectorizer.transform(["good a dull plot"]), 1e-5)


def test_windows_of_cls_are_averaged(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6, long_text="window")
    whole = vectorizer.transform(["good film with a dull plot"])
    windows = vectorizer.transform(["good film with a", "with a dull plot"])
    np.testing.assert_allclose(whole[0], windows.mean(axis=0), atol=1e-5)


def test_windows_of_max_keep_the_maximum(tiny_bert):
    vectorizer = BertVectorizer(
        tiny_bert, max_length=6, long_text="window", pooling="max"
    )
    whole = vectorizer.transform(["good film with a dull plot"])
    windows = vectorizer.transform(["good film with a", "with a dull plot"])
    np.testing.assert_allclose(whole[0], windows.max(axis=0), atol=1e-5)


def test_windows_warn_of_nothing_since_nothing_is_cut(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=6, long_text="window")
    assert vectorizer.fit(["good film with a dull plot"]).n_truncated_ == 0


def test_truncation_warning_counts(tiny_bert, texts):
    vectorizer = BertVectorizer(tiny_bert, max_length=12)
    n_long = sum(len(text.split()) > 10 for text in texts)
    with pytest.warns(TruncationWarning, match=f"^{n_long} of 40 texts") as caught:
        vectorizer.fit_transform(texts)
    assert vectorizer.n_truncated_ == n_long
    assert len(caught) == 1


def test_fit_counts_as_fit_transform_does(tiny_bert, texts):
    vectorizer = BertVectorizer(tiny_bert, max_length=12)
    with pytest.warns(TruncationWarning):
        fitted = vectorizer.fit(texts).n_truncated_
    with pytest.warns(TruncationWarning):
        vectorizer.fit_transform(texts)
    assert fitted == vectorizer.n_truncated_ > 0


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_truncation_warning_points_at_the_callers_line(tiny_bert, method):
    vectorizer = BertVectorizer(tiny_bert, max_length=4)
    for estimator in (vectorizer, make_pipeline(vectorizer)):
        with pytest.warns(TruncationWarning) as caught:
            getattr(estimator, method)(["good film and plot"])
        assert [warning.filename for warning in caught] == [__file__]


def test_pairs_that_are_cut_in_windows_are_told_so(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=7, long_text="window")
    with pytest.warns(TruncationWarning, match="shorten the shorter text"):
        vectorizer.transform([("good film and plot", "bad film and music too")])
