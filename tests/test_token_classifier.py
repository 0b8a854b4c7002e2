"""BertTokenClassifier: one tag for every word, always."""

import pickle
import re
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_bert import BertTokenClassifier
from sklearn_bert.exceptions import InputError, TextRepairWarning
from sklearn_bert.metrics import entity_f1_scorer

EXACT = {"dtype": "float64", "dropout": 0.0, "batch_size": 999, "init": "zeros"}
NAN = float("nan")
KINDS = {"good": "B-x", "bad": "B-y", "film": "I-x"}


@pytest.fixture(scope="module")
def sentences(texts):
    """Forty sentences of 0 to 30 words."""
    return [text.split() for text in texts]


@pytest.fixture(scope="module")
def tags(sentences):
    """Tags that go by the word, and by the word before it."""
    return [tag(words) for words in sentences]


def tag(words):
    out = []
    for word in words:
        kind = KINDS.get(word, "O")
        is_start = not out or out[-1] not in ("B-x", "I-x")
        out.append("B-x" if kind == "I-x" and is_start else kind)
    return out


@pytest.fixture(scope="module")
def make(tiny_bert):
    """Return a function that makes a quick tagger."""

    def make(**changes):
        options = {"n_epochs": 2, "learning_rate": 1e-3, "random_state": 0}
        return BertTokenClassifier(tiny_bert, **{**options, **changes})

    return make


@pytest.fixture(scope="module")
def fitted(make, sentences, tags):
    return make().fit(sentences, tags)


def assert_same(first, second, tolerance=0.0):
    expected = {**second.encoder_.weights, "coef": second.coef_}
    for name, value in {**first.encoder_.weights, "coef": first.coef_}.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=tolerance)


def assert_close(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


# --- one tag for every word --------------------------------------------------------


def test_learns_what_is_to_be_learnt(make, sentences, tags):
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


# --- weights and seeds -------------------------------------------------------------


def test_weight_two_is_the_sentence_twice(make, sentences, tags):
    weights = np.where(np.arange(40) < 10, 2, 1)
    weighted = make(**EXACT).fit(sentences, tags, sample_weight=weights)
    twice = make(**EXACT).fit([*sentences, *sentences[:10]], [*tags, *tags[:10]])
    assert_same(weighted, twice, 1e-9)


def test_weight_zero_leaves_the_sentence_out(make, sentences, tags):
    weights = np.where(np.arange(40) < 10, 0, 1)
    without = make().fit(sentences[10:], tags[10:])
    assert_same(make().fit(sentences, tags, sample_weight=weights), without)


def test_empty_sentences_change_nothing(make, sentences, tags):
    some = [row for row in range(40) if sentences[row]]
    assert len(some) < 40
    without = make().fit([sentences[row] for row in some], [tags[row] for row in some])
    assert_same(make().fit(sentences, tags), without)


@pytest.mark.parametrize("max_length", [None, 8])
def test_parts_of_a_batch_add_up_to_it(make, sentences, tags, max_length, monkeypatch):
    import torch

    from sklearn_bert._engine.training import FineTuning
    from sklearn_bert.exceptions import MemoryWarning

    options = {**EXACT, "max_length": max_length}
    whole = make(**options).fit(sentences, tags)
    forward, calls = FineTuning._forward, iter(range(10**6))

    def failing(self, part):
        if next(calls) < 2:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, part)

    monkeypatch.setattr(FineTuning, "_forward", failing)
    with pytest.warns(MemoryWarning):
        parted = make(**options).fit(sentences, tags)
    assert_same(parted, whole, 1e-9)


def test_class_weight_is_a_weight_of_words(make, sentences, tags):
    heavy = make(class_weight={"O": 1e-3}, **EXACT).fit(sentences, tags)
    plain = make(**EXACT).fit(sentences, tags)

    def share(tagger):
        return np.mean(np.concatenate(tagger.predict(sentences)) == "O")

    assert share(heavy) < share(plain)


def test_balanced_tags_weigh_alike(make, sentences, tags):
    counts = pd.Series(np.concatenate(tags)).value_counts()
    by_tag = {tag: counts.sum() / (4 * count) for tag, count in counts.items()}
    balanced = make(class_weight="balanced", **EXACT).fit(sentences, tags)
    assert_same(balanced, make(class_weight=by_tag, **EXACT).fit(sentences, tags), 1e-9)


def test_steps_are_those_of_batches_of_sentences(make, sentences, tags):
    states = []
    make(batch_size=16, callbacks=[states.append]).fit(sentences, tags)
    assert [state.step for state in states] == [3, 6]
    assert [state.n_steps for state in states] == [6, 6]


def test_a_seed_gives_the_same_weights(make, fitted, sentences, tags):
    assert_same(make().fit(sentences, tags), fitted)


def test_a_refit_equals_a_fresh_fit(make, fitted, sentences, tags):
    tagger = make(early_stopping=True).fit(sentences[:30], tags[:30])
    tagger.set_params(early_stopping=False).fit(sentences, tags)
    assert_same(tagger, fitted)
    assert vars(tagger).keys() == vars(fitted).keys()


def test_a_warm_start_goes_on_from_the_weights(make, sentences, tags):
    tagger = make(warm_start=True).fit(sentences, tags)
    before = tagger.predict_proba(sentences)
    tagger.set_params(learning_rate=1e-12).fit(sentences, tags)
    assert_close(tagger.predict_proba(sentences), before, 1e-5)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        tagger.fit([["a", "b"]], [["U", "V"]])


# --- BIO ---------------------------------------------------------------------------


def test_constrained_tags_are_bio(make, sentences, tags):
    # One that has learnt little breaks the rule in many sentences.
    loose = make(n_epochs=1, init="zeros").fit(sentences, tags)
    loose.intercept_[2] += 3
    noise = np.random.RandomState(0).normal(size=(3, loose.coef_.shape[1]))
    loose.coef_[:3] += 0.3 * noise
    strict = pickle.loads(pickle.dumps(loose)).set_params(constrain_tags="bio")
    free = loose.predict(sentences)
    assert any(_breaks_bio(some) for some in free)
    assert not any(_breaks_bio(some) for some in strict.predict(sentences))
    assert_close(loose.predict_proba(sentences), strict.predict_proba(sentences), 0)


def _breaks_bio(tags):
    pairs = zip(["O", *tags], tags, strict=False)
    return any(now[0] == "I" and (b[0] == "O" or b[1:] != now[1:]) for b, now in pairs)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (["O", "NN"], "Got 'NN' for word 1 of sentence 2"),
        (["O", "B-"], "Got 'B-' for word 1 of sentence 2"),
        (["O", "I-x"], "Got 'I-x' after 'O' for word 1 of sentence 2"),
        (["I-x", "O"], "Got 'I-x' at the start for word 0 of sentence 2"),
        (["B-y", "I-x"], "Got 'I-x' after 'B-y' for word 1 of sentence 2"),
    ],
)
def test_tags_that_are_not_bio_are_refused_where_bio_is_asked(make, bad, words):
    X, y = [["a", "b"]] * 3, [["O", "B-x"], ["B-x", "I-x"], bad]
    with pytest.raises(ValueError, match=re.escape(words)):
        make(constrain_tags="bio").fit(X, y)


@pytest.mark.parametrize("names", [["I-x", "I-y"], ["B-x", "NN"]])
def test_classes_that_cannot_be_bio_are_refused_in_predicting(make, names):
    X, y = [["a", "b"]] * 3, [names] * 3
    tagger = make(n_epochs=1).fit(X, y).set_params(constrain_tags="bio")
    with pytest.raises(ValueError, match=re.escape(f"for the classes {sorted(names)}")):
        tagger.predict(X)


# --- early stopping and composition ------------------------------------------------


@pytest.mark.parametrize("scoring", [None, entity_f1_scorer])
def test_early_stopping_takes_any_scorer_of_tags(make, sentences, tags, scoring):
    tagger = make(early_stopping=True, scoring=scoring, validation_fraction=0.25)
    tagger.fit(sentences, tags)
    assert len(tagger.validation_scores_) == 2
    assert all(0 <= score <= 1 for score in tagger.validation_scores_)


def test_is_no_classifier_to_scikit_learn(fitted):
    assert not is_classifier(fitted)
    assert fitted.__sklearn_tags__().target_tags.required


def test_grids_are_searched_on_nested_lists(make, sentences, tags):
    search = GridSearchCV(
        make(n_epochs=1),
        {"learning_rate": [1e-12, 1e-3]},
        cv=2,
        scoring=entity_f1_scorer,
    )
    search.fit(sentences, tags)
    assert len(search.predict(sentences)) == 40
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_cross_validation_predicts_every_word_once(make, sentences, tags):
    predicted = cross_val_predict(make(n_epochs=1), sentences, tags, cv=3)
    assert predicted.shape == (40,)
    assert [len(some) for some in predicted] == [len(some) for some in tags]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_cross_validation_runs_in_parallel(make, sentences, tags, backend):
    with joblib.parallel_backend(backend):
        results = cross_validate(
            make(n_epochs=1), sentences, tags, cv=2, n_jobs=2, error_score="raise"
        )
    assert (results["test_score"] > 0.3).all()


def test_stands_at_the_end_of_a_pipeline(make, fitted, sentences, tags):
    lower = FunctionTransformer(_lower)
    pipeline = make_pipeline(lower, make()).fit(sentences, tags)
    assert_same(pipeline[-1], fitted)


def _lower(X):
    return [[word.lower() for word in words] for words in X]


def test_clones_are_not_fitted(fitted, sentences):
    with pytest.raises(NotFittedError):
        clone(fitted).predict(sentences)
    with pytest.raises(NotFittedError):
        clone(fitted).score(None, None)


def test_another_process_predicts_the_same(fitted, sentences, tmp_path):
    joblib.dump((fitted, sentences), tmp_path / "tagger.joblib")
    code = (
        "import sys, joblib; tagger, X = joblib.load(sys.argv[1]); "
        "joblib.dump(tagger.predict_proba(X), sys.argv[2])"
    )
    arguments = [str(tmp_path / "tagger.joblib"), str(tmp_path / "out.joblib")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    found = joblib.load(tmp_path / "out.joblib")
    assert_close(found, fitted.predict_proba(sentences), 1e-6)


# --- bad input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ("a text", "Iterable over raw text documents expected, string object"),
        ([], "Found array with 0 sample(s)"),
        ([["a", 3], ["b"]], "Got 3 (int) in sentence 0, word 1: 1 of 2 sentences"),
        ([["a", 3], ["b"]], "[[str(word) for word in words] for words in X]"),
        ([["a"], [None]], "Got None (NoneType) in sentence 1, word 0"),
        ([["a"], [["b"]]], "Got ['b'] (list) in sentence 1, word 0"),
        ([["a"], [b"b"]], "Decode bytes first"),
        ([["a", "b"], "a text"], "Make all rows alike"),
        ([["a", "b"], 3], "Got 3 (int) in row 1"),
        ([["a"], {"b"}], "Got {'b'} (set) in row 1"),
        ({"a": 1}, "whose order is no part of it"),
        (3, "X must be a list, array, Series or frame"),
        (pd.DataFrame({"a": [["x"]], "b": [["y"]]}), "one column of sentences. Got 2"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_sentences_are_refused(fitted, X, words):
    with pytest.raises(InputError, match=re.escape(words)):
        fitted.predict(X)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([["O", "X"]], "inconsistent numbers of samples: [2, 1]"),
        ([["O", "X"], ["O"]], "Got 1 tags for 2 words in sentence 1: 1 of 2"),
        ([["O", "X"], ["O"] * 3], "Got 3 tags for 2 words in sentence 1"),
        (["O", "X"], "Got 'O' (str) in row 0. If X and y are a single sentence"),
        ([["O", "X"], 3], "Got 3 (int) in row 1"),
        ([["O", None], ["O", "X"]], "word 1 of sentence 0 is missing"),
        ([["O", NAN], ["O", "X"]], "Input y contains NaN"),
        ([["O", 1], ["O", "X"]], "Got 1 (int) for word 1 of sentence 0"),
        ([[0.5, 1.5], [0.5, 1.5]], "Got 0.5 (float) for word 0 of sentence 0"),
        ([["O", "O"], ["O", "O"]], "contains only one class: 'O'"),
        (pd.DataFrame([[["O"], ["X"]]] * 2), "one column of lists of tags. Got 2"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_tags_are_refused(make, y, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make().fit([["a", "b"], ["c", "d"]], y)


def test_a_flat_list_of_words_is_refused(make):
    with pytest.raises(ValueError, match="put them into lists"):
        make().fit(["Ann", "left", "Rome"], ["P", "O", "L"])


def test_nothing_but_empty_sentences_is_refused(make):
    with pytest.raises(ValueError, match="Got only empty sentences"):
        make().fit([[], []], [[], []])


def test_weights_on_nothing_but_empty_sentences_are_refused(make):
    with pytest.raises(ValueError, match="over 0 for empty sentences only"):
        make().fit([["a", "b"], []], [["O", "X"], []], sample_weight=[0, 1])


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0]])
def test_bad_weights_are_refused(make, weights):
    with pytest.raises(ValueError, match=r"[Ww]eight"):
        make().fit([["a"], ["b"]], [["O"], ["X"]], sample_weight=weights)


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        (len, "must return a list of words (str) for a text. Got 4 (int)"),
        (str, "must return a list of words (str) for a text. Got 'text' (str)"),
        (lambda text: [1], "must return words that are texts (str). Got 1 (int)"),
    ],
)
def test_bad_word_tokenizers_are_refused(make, tokenizer, words):
    with pytest.raises(InputError, match=re.escape(words)):
        make(word_tokenizer=tokenizer).split_words(["text"])


@pytest.mark.parametrize("change", [{"constrain_tags": "iob"}, {"word_tokenizer": 1}])
def test_bad_parameters_are_refused_in_scikit_learns_words(make, change):
    (name,) = change
    words = f"The '{name}' parameter of BertTokenClassifier"
    with pytest.raises(ValueError, match=words):
        make(**change).fit([["a", "b"]], [["O", "X"]])
