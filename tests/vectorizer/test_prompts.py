"""What a prompt does to the features of texts and pairs, and of fitted estimators."""

import json
import pickle

import numpy as np
import pytest

from sklearn_bert import (
    BertClassifier,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
)
from sklearn_bert.exceptions import CheckpointError, TruncationWarning

TEXTS = ["a good film", "", "it was dull"]
PROMPT = "watch this - "
PROMPTED = [PROMPT + text for text in TEXTS]


@pytest.fixture
def prompted_bert(own_bert):
    """A checkpoint whose default prompt is "watch this - "."""
    content = {"prompts": {"task": PROMPT}, "default_prompt_name": "task"}
    path = own_bert / "config_sentence_transformers.json"
    path.write_text(json.dumps(content))
    return own_bert


@pytest.fixture
def features(tiny_bert):
    """The features of the texts with the prompt in them."""
    return BertVectorizer(tiny_bert).transform(PROMPTED)


@pytest.mark.parametrize("prompt", [PROMPT, "auto", "task"])
def test_a_prompt_is_the_beginning_of_each_text(prompted_bert, features, prompt):
    vectorizer = BertVectorizer(prompted_bert, prompt=prompt)
    np.testing.assert_array_equal(vectorizer.fit_transform(TEXTS), features)
    assert vectorizer.prompt_ == PROMPT


@pytest.mark.parametrize("prompt", [None, "", "query"])
def test_a_declared_prompt_can_be_left_out(prompted_bert, tiny_bert, prompt):
    vectorizer = BertVectorizer(prompted_bert, prompt=prompt).fit(TEXTS)
    expected = BertVectorizer(tiny_bert).transform(TEXTS)
    np.testing.assert_array_equal(vectorizer.transform(TEXTS), expected)
    assert vectorizer.prompt_ == ""


def test_a_prompt_set_after_fit_takes_effect(tiny_bert, features):
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS).set_params(prompt=PROMPT)
    np.testing.assert_array_equal(vectorizer.transform(TEXTS), features)


def test_the_first_text_of_a_pair_has_the_prompt(tiny_bert):
    pairs = [("a film", "it"), ("", "good")]
    prompted = [(PROMPT + a, b) for a, b in pairs]
    np.testing.assert_array_equal(
        BertVectorizer(tiny_bert, prompt=PROMPT).transform(pairs),
        BertVectorizer(tiny_bert).transform(prompted),
    )


def test_fit_counts_the_tokens_of_the_prompt(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, max_length=7)
    assert vectorizer.fit(TEXTS).n_truncated_ == 0
    with pytest.warns(TruncationWarning, match="^2 of 3 texts"):
        vectorizer.set_params(prompt=PROMPT).fit(TEXTS)
    assert vectorizer.n_truncated_ == 2


def test_windows_are_those_of_prompted_parts(tiny_bert):
    vectorizer = BertVectorizer(
        tiny_bert, prompt=PROMPT, max_length=9, long_text="window"
    )
    whole = vectorizer.transform(["good bad dull funny sad long short"])
    parts = vectorizer.transform(["good bad dull funny", "funny sad long short"])
    np.testing.assert_allclose(whole[0], parts.mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("long_text", ["truncate", "head_tail", "window"])
def test_a_prompt_without_room_for_a_text_is_refused(tiny_bert, long_text):
    vectorizer = BertVectorizer(
        tiny_bert, prompt=PROMPT, max_length=5, long_text=long_text
    )
    for method in (vectorizer.fit, vectorizer.transform):
        with pytest.raises(ValueError, match=r"prompt must have .* raise max_length"):
            method(TEXTS)


def test_a_damaged_declaration_is_named(prompted_bert):
    path = prompted_bert / "config_sentence_transformers.json"
    path.write_text('{"prompts": {"task": 3}}')
    with pytest.raises(CheckpointError, match="prompt 'task' is not a text"):
        BertVectorizer(prompted_bert).fit(TEXTS)


# --- fine-tuning -------------------------------------------------------------------


@pytest.fixture(params=[BertClassifier, BertRegressor])
def fine_tuner(request, prompted_bert):
    return request.param(prompted_bert, n_epochs=1, random_state=0)


def test_training_and_prediction_read_the_prompt(fine_tuner, tiny_bert):
    expected = type(fine_tuner)(tiny_bert, n_epochs=1, random_state=0)
    expected.fit(PROMPTED, [0, 1, 0])
    fine_tuner.fit(TEXTS, [0, 1, 0])
    np.testing.assert_array_equal(
        fine_tuner.transform(TEXTS), expected.transform(PROMPTED)
    )
    np.testing.assert_array_equal(fine_tuner.predict(TEXTS), expected.predict(PROMPTED))
    assert fine_tuner.prompt_ == PROMPT


def test_a_fitted_estimator_keeps_the_prompt_of_its_training(fine_tuner):
    fine_tuner.set_params(prompt="it: ").fit(TEXTS, [0, 1, 0])
    features = fine_tuner.transform(TEXTS)
    fine_tuner.set_params(prompt=None)
    np.testing.assert_array_equal(fine_tuner.transform(TEXTS), features)
    again = pickle.loads(pickle.dumps(fine_tuner))
    vectorizer = BertVectorizer(again).fit(TEXTS)
    assert vectorizer.prompt_ == "it: "
    np.testing.assert_allclose(vectorizer.transform(TEXTS), features, atol=1e-6)


def test_training_without_the_declared_prompt_leaves_it_out_afterwards(fine_tuner):
    fine_tuner.set_params(prompt=None).fit(TEXTS, [0, 1, 0])
    vectorizer = BertVectorizer(fine_tuner).fit(TEXTS)
    assert (fine_tuner.prompt_, vectorizer.prompt_) == ("", "")
    assert vectorizer.set_params(prompt="task").fit(TEXTS).prompt_ == PROMPT


def test_words_have_no_prompt(prompted_bert, tiny_bert):
    sentences, tags = [["a", "film"], ["good"]], [["x", "y"], ["y"]]
    scores = [
        BertTokenClassifier(model, n_epochs=1, random_state=0)
        .fit(sentences, tags)
        .decision_function(sentences)
        for model in (prompted_bert, tiny_bert)
    ]
    for one, other in zip(*scores, strict=True):
        np.testing.assert_array_equal(one, other)
