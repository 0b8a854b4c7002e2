"""Checkpoints whose sentence-transformers settings ask for lower case."""

import json

import numpy as np
import pytest

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertTokenClassifier,
    BertTokenizer,
    BertVectorizer,
)

TEXTS = ["A Good Film", "BAD", "the Film was bad", "good good"]
LOWERED = [text.lower() for text in TEXTS]
WORDS, LOWERED_WORDS = ([x.split() for x in texts] for texts in (TEXTS, LOWERED))


@pytest.fixture(scope="module")
def folder(save_family, tmp_path_factory):
    """A cased checkpoint that asks for lower case."""
    folder = save_family("multilingual BERT", tmp_path_factory.mktemp("cased")).folder
    content = {"max_seq_length": 64, "do_lower_case": True}
    (folder / "sentence_bert_config.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def classifier(folder):
    return BertClassifier(folder, n_epochs=1, random_state=0).fit(TEXTS, [1, 0, 0, 1])


def test_case_changes_no_feature(folder):
    vectorizer = BertVectorizer(folder)
    np.testing.assert_array_equal(
        vectorizer.transform(TEXTS), vectorizer.transform(LOWERED)
    )


def test_case_changes_no_token(folder):
    tokenizer = BertTokenizer(folder).fit(TEXTS)
    assert tokenizer.tokenize(TEXTS) == tokenizer.tokenize(LOWERED)


def test_case_changes_no_prediction(classifier):
    np.testing.assert_array_equal(
        classifier.decision_function(TEXTS), classifier.decision_function(LOWERED)
    )


def test_case_changes_no_feature_of_a_fitted_estimator(classifier):
    vectorizer = BertVectorizer(classifier)
    np.testing.assert_array_equal(
        vectorizer.transform(TEXTS), vectorizer.transform(LOWERED)
    )


def test_case_changes_no_tag(folder):
    tags = [list(map(str.lower, words)) for words in WORDS]
    tagger = BertTokenClassifier(folder, n_epochs=1, random_state=0).fit(WORDS, tags)
    for scores, lowered in zip(
        tagger.decision_function(WORDS),
        tagger.decision_function(LOWERED_WORDS),
        strict=True,
    ):
        np.testing.assert_array_equal(scores, lowered)


def test_a_saved_masked_model_keeps_converting(folder, tmp_path):
    masked_lm = BertMaskedLM(folder, max_steps=1, random_state=0).fit(TEXTS)
    assert masked_lm.score(TEXTS) == masked_lm.score(LOWERED)
    masked_lm.save_pretrained(tmp_path / "saved")
    tokenizer = BertTokenizer(tmp_path / "saved").fit(TEXTS)
    assert tokenizer.tokenize(TEXTS) == tokenizer.tokenize(LOWERED)
