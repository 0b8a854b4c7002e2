"""One sentence says what an estimator does."""

import numpy as np
import pytest
from saving.cases import TEXTS

from sklearn_bert import BertVectorizer
from sklearn_bert._engine.export.contents import Exported
from sklearn_bert._sharing.tasks import describe_task, n_columns

CLASSES, FEATURES = "text-classification", "feature-extraction"
PAIRS = np.array([TEXTS, TEXTS]).T


@pytest.mark.parametrize(
    ("name", "task", "sentence"),
    [
        ("classes of texts", CLASSES, "Assigns one of 4 classes to a text."),
        ("several labels", CLASSES, "Assigns any number of 2 labels to a text."),
        ("a number", CLASSES, "Predicts a number for a text."),
        ("two numbers", CLASSES, "Predicts 2 numbers for a text."),
        ("tags", "token-classification", "Assigns one of 2 tags to each word."),
        ("features", FEATURES, "Turns a text into a vector of 64 features."),
        (
            "features without fit",
            FEATURES,
            "Turns a text into a vector of 32 features.",
        ),
        ("tags", FEATURES, "Turns a text into a vector for each word."),
    ],
)
def test_the_sentence_is_of_the_task(fitted, name, task, sentence):
    assert describe_task(fitted(name), Exported(task, "AutoModel")) == sentence


def test_pairs_are_named(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert).fit(PAIRS)
    assert n_columns(vectorizer) == 2
    sentence = describe_task(vectorizer, Exported(FEATURES, "AutoModel"))
    assert sentence.startswith("Turns a pair of texts into")


def test_a_tokenizer_has_no_weights(fitted):
    sentence = describe_task(fitted("ids"), Exported(None, "AutoTokenizer"))
    assert sentence == "Splits a text into tokens. This folder contains no weights."
