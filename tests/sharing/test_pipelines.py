"""Pipelines of transformers return the predictions of the fitted estimators."""

import numpy as np
import pytest
from transformers import pipeline

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
)

OPTIONS = {"n_epochs": 1, "random_state": 0}
CLS = {"pooling": "cls", **OPTIONS}


@pytest.fixture(scope="module")
def some(texts):
    return [text for text in texts if 0 < len(text.split()) < 20]


def open_pipeline(task, estimator, folder, **options):
    estimator.save_pretrained(folder)
    return pipeline(task, model=str(folder), device="cpu", **options)


def scores_in_order(found, names):
    by_name = [{one["label"]: one["score"] for one in of_text} for of_text in found]
    return np.array([[scores[str(name)] for name in names] for scores in by_name])


@pytest.mark.parametrize("names", [["bad", "good"], [3, 1, 2], [True, False]])
def test_probabilities_are_those_of_the_classes(tiny_bert, some, tmp_path, names):
    labels = [names[len(text) % len(names)] for text in some]
    classifier = BertClassifier(tiny_bert, **CLS).fit(some, labels)
    classify = open_pipeline("text-classification", classifier, tmp_path / "saved")
    found = scores_in_order(classify(some, top_k=None), classifier.classes_)
    np.testing.assert_allclose(found, classifier.predict_proba(some), atol=1e-5)
    best = [one["label"] for one in classify(some)]
    assert best == [str(label) for label in classifier.predict(some)]


def test_weights_of_a_fit_in_float64_are_opened_too(tiny_bert, some, tmp_path):
    labels = [len(text) % 2 for text in some]
    classifier = BertClassifier(tiny_bert, dtype="float64", **CLS).fit(some, labels)
    classify = open_pipeline("text-classification", classifier, tmp_path / "saved")
    found = scores_in_order(classify(some, top_k=None), classifier.classes_)
    np.testing.assert_allclose(found, classifier.predict_proba(some), atol=1e-5)


def test_each_label_of_a_text_has_its_probability(tiny_bert, some, tmp_path):
    labels = np.array([[len(text) % 2, len(text) % 3 == 0, 1] for text in some])
    labels[0, 2] = 0
    classifier = BertClassifier(tiny_bert, **CLS).fit(some, labels)
    classify = open_pipeline("text-classification", classifier, tmp_path / "saved")
    assert classify.model.config.problem_type == "multi_label_classification"
    found = scores_in_order(classify(some, top_k=None), range(3))
    np.testing.assert_allclose(found, classifier.predict_proba(some), atol=1e-5)


def test_pairs_are_classified(tiny_bert, some, tmp_path):
    pairs = list(zip(some, some[::-1], strict=True))
    labels = [["yes", "no"][len(text) % 2] for text in some]
    classifier = BertClassifier(tiny_bert, max_length=60, **CLS).fit(pairs, labels)
    classify = open_pipeline("text-classification", classifier, tmp_path / "saved")
    inputs = [{"text": first, "text_pair": second} for first, second in pairs]
    found = classify(inputs, top_k=None, truncation=True)
    found = scores_in_order(found, classifier.classes_)
    np.testing.assert_allclose(found, classifier.predict_proba(pairs), atol=1e-5)


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_numbers_are_in_the_units_of_y(tiny_bert, some, tmp_path, shift):
    y = [shift + 10.0 * len(text) for text in some]
    regressor = BertRegressor(tiny_bert, **CLS).fit(some, y)
    predict = open_pipeline("text-classification", regressor, tmp_path / "saved")
    found = [one["score"] for one in predict(some)]
    np.testing.assert_allclose(found, regressor.predict(some), rtol=1e-5)
    assert predict(some)[0]["label"] == "target"


def test_several_numbers_have_names(tiny_bert, some, tmp_path):
    y = [[len(text), -3.0 * len(text)] for text in some]
    regressor = BertRegressor(tiny_bert, **CLS).fit(some, y)
    predict = open_pipeline("text-classification", regressor, tmp_path / "saved")
    found = scores_in_order(predict(some, top_k=None), ["target0", "target1"])
    np.testing.assert_allclose(found, regressor.predict(some), rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def tagger(tiny_bert):
    # Words that are not in the vocabulary are spelled with several tokens.
    sentences = [["the", "xylophone", "was", "great"], ["zebra", "and", "quagga"]] * 4
    tags = [["O", "X", "O", "Y"], ["X", "O", "X"]] * 4
    return BertTokenClassifier(tiny_bert, **OPTIONS).fit(sentences, tags)


WORDS = ["the", "zebra", "was", "xylophone", "and", "great"]


def test_words_get_the_tags_of_their_first_tokens(tagger, tmp_path):
    task, folder = "token-classification", tmp_path / "saved"
    tag = open_pipeline(task, tagger, folder, ignore_labels=[])
    text = " ".join(WORDS)
    (expected,) = tagger.predict([WORDS])
    groups = tag(text, aggregation_strategy="first")
    found = [
        group["entity_group"]
        for group in groups
        for _ in text[group["start"] : group["end"]].split()
    ]
    assert found == expected


def test_the_tokens_of_words_have_their_probabilities(tagger, tmp_path):
    task, folder = "token-classification", tmp_path / "saved"
    tag = open_pipeline(task, tagger, folder, ignore_labels=[])
    (expected,) = tagger.predict_proba([WORDS])
    found = {one["start"]: one["score"] for one in tag(" ".join(WORDS))}
    starts = np.cumsum([0, *(len(word) + 1 for word in WORDS[:-1])])
    scores = [found[start] for start in starts]
    np.testing.assert_allclose(scores, expected.max(axis=1), atol=1e-5)


def test_masks_are_filled(tiny_bert, some, tmp_path):
    model = BertMaskedLM(tiny_bert, max_steps=1, random_state=0).fit(some)
    fill = open_pipeline("fill-mask", model, tmp_path / "saved")
    found = [(one["token_str"], one["score"]) for one in fill("the [MASK] was good")]
    ((expected,),) = model.fill_mask(["the [MASK] was good"])
    assert [token for token, _ in found] == [token for token, _ in expected]
    np.testing.assert_allclose(
        [score for _, score in found], [score for _, score in expected], rtol=1e-4
    )
