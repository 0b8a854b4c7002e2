"""BertTokenClassifier: one tag for every word, always."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from sklearn_bert.exceptions import TextRepairWarning
from token_classifier.comparing import assert_close, assert_same

# --- one tag for every word --------------------------------------------------------


def test_learns_what_is_to_be_learned(make, sentences, tags):
    tagger = make(n_epochs=25, dropout=0.0).fit(sentences, tags)
    assert tagger.score(sentences, tags) > 0.98
    assert tagger.loss_curve_[-1] < tagger.loss_curve_[0]
    assert tagger.classes_.tolist() == ["B-x", "B-y", "I-x", "O"]


@pytest.mark.parametrize(
    "words",
    [
        [],
        [""],
        ["", "good", "", " ", "\t", "\u200b"],
        ["x" * 50, "good", "q" * 5000, "film"],
        ["good film", "a b c d"],
        ["[SEP]", "[CLS]", "[PAD]", "good"],
        ["日本語", "🙂", "\x00", "é"],
        ["good"] * 300,
    ],
    ids=["none", "empty", "dropped", "huge", "spaces", "controls", "odd", "long"],
)
def test_every_word_has_one_tag(fitted, words):
    (predicted,) = fitted.predict([words])
    assert len(predicted) == len(words)
    assert set(predicted) <= set(fitted.classes_)
    (chances,) = fitted.predict_proba([words])
    assert chances.shape == (len(words), 4)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("max_length", [3, 4, 7, 64])
def test_every_word_has_one_tag_in_windows_of_any_length(
    make, sentences, tags, max_length
):
    tagger = make(max_length=max_length, n_epochs=1).fit(sentences, tags)
    predicted = tagger.predict([*sentences, ["qqqqqqqqqqqqqqqqqq", "good"] * 20])
    lengths = [len(words) for words in predicted]
    assert lengths == [*map(len, sentences), 40]
    assert tagger.n_truncated_ == 0


def test_words_of_windows_have_the_vectors_of_their_windows(make, sentences, tags):
    tagger = make(max_length=8, dtype="float64").fit(sentences, tags)
    words = ["good", "film", "with", "a", "dull", "plot", "and", "music", "it", "was"]
    (scores,) = tagger.decision_function([words])
    # Windows of six words that overlap by one or more: the first ends where the
    # second begins, and the last one is moved to end with the sentence.
    first, second = tagger.decision_function([words[:6], words[4:]])
    np.testing.assert_allclose(scores, np.vstack([first[:5], second[1:]]), atol=1e-9)


# --- what comes out ----------------------------------------------------------------


def test_predictions_join_as_cross_validation_joins_them(fitted, sentences):
    predicted = fitted.predict(sentences)
    assert predicted.dtype == object
    assert predicted.shape == (40,)
    assert isinstance(predicted[0], list)
    alike = fitted.predict([["good", "film"], ["a", "plot"]])
    assert alike.shape == (2,)


def test_probabilities_are_the_softmax_of_the_decisions(fitted, sentences):
    scores = fitted.decision_function(sentences)
    chances = fitted.predict_proba(sentences)
    assert isinstance(chances, list)
    assert_close(chances, [softmax(x, axis=1) for x in scores], 1e-6)
    predicted = [fitted.classes_[x.argmax(axis=1)].tolist() for x in scores]
    assert fitted.predict(sentences).tolist() == predicted


def test_score_is_the_share_of_right_words(fitted, sentences, tags):
    predicted = np.concatenate(fitted.predict(sentences))
    assert fitted.score(sentences, tags) == np.mean(predicted == np.concatenate(tags))


def test_score_weighs_sentences(fitted, sentences, tags):
    weights = np.zeros(40)
    weights[2] = 2
    expected = fitted.score(sentences[2:3], tags[2:3])
    assert fitted.score(sentences, tags, sample_weight=weights) == expected


def test_score_reads_the_frame_that_fit_read(make, sentences, tags):
    frame = pd.DataFrame({"words": sentences})
    tagger = make(n_epochs=1).fit(frame, tags)
    is_right = np.concatenate(tagger.predict(frame)) == np.concatenate(tags)
    assert tagger.score(frame, tags) == np.mean(is_right)


def test_tags_may_be_numbers(make, sentences, tags):
    codes = {"O": 0, "B-x": 7, "B-y": 3, "I-x": 5}
    numbers = [[codes[x] for x in some] for some in tags]
    tagger = make().fit(sentences, numbers)
    assert tagger.classes_.tolist() == [0, 3, 5, 7]
    assert all(isinstance(x, int) for some in tagger.predict(sentences) for x in some)
    assert_same(make().fit(sentences, [np.array(x, int) for x in numbers]), tagger)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-5), ("float64", 1e-9)])
def test_batch_composition_does_not_matter(make, sentences, tags, dtype, tolerance):
    tagger = make(dtype=dtype).fit(sentences, tags)
    expected = tagger.decision_function(sentences)
    alone = [tagger.decision_function([words])[0] for words in sentences]
    assert_close(alone, expected, tolerance)


# --- how sentences come in ---------------------------------------------------------


def test_sentences_may_come_in_any_container(make, fitted, sentences, tags):
    as_array = np.empty(40, dtype=object)
    as_array[:] = sentences
    inputs = [
        (tuple(map(tuple, sentences)), tuple(map(tuple, tags))),
        (as_array, pd.Series(tags, index=range(40, 0, -1))),
        ([np.array(words) for words in sentences], [np.array(x) for x in tags]),
        (pd.Series(sentences, index=range(40, 0, -1)), tags),
    ]
    for X, y in inputs:
        assert_same(make().fit(X, y), fitted)
    frame = pd.DataFrame({"words": sentences, "tags": tags})
    assert_same(make().fit(frame[["words"]], frame[["tags"]]), fitted)


def test_an_array_of_one_column_is_its_column(fitted, sentences):
    column = np.array([["good film the plot"], ["bad film"]])
    assert [len(tags) for tags in fitted.predict(column)] == [4, 2]
    lists = np.empty((len(sentences), 1), dtype=object)
    lists[:, 0] = sentences
    assert fitted.split_words(lists) == sentences


def test_texts_are_split_into_words(fitted):
    texts = ["A good film, isn't it?", "", "3.5 e-mails"]
    words = fitted.split_words(texts)
    assert words == [
        ["A", "good", "film", ",", "isn't", "it", "?"],
        [],
        ["3.5", "e-mails"],
    ]
    assert fitted.predict(texts).tolist() == fitted.predict(words).tolist()


def test_texts_are_split_by_what_one_likes(make, texts, sentences, tags, fitted):
    tagger = make(word_tokenizer=str.split).fit(texts, tags)
    assert_same(tagger, fitted)
    assert tagger.split_words(texts) == sentences


def test_a_lone_surrogate_is_repaired_with_a_warning(fitted):
    with pytest.warns(TextRepairWarning, match="1 of 2 words"):
        assert len(fitted.predict([["good", "\ud800"]])[0]) == 2
