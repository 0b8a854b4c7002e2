"""What is known of the reading of texts is that of the export."""

import pytest

from sklearn_bert import BertVectorizer
from sklearn_bert._sharing.reading import (
    is_of_vectorizer,
    reading_of,
    reading_of_fit,
)


@pytest.mark.parametrize(
    ("name", "pooling"), [("classes of texts", "cls"), ("tags", None)]
)
def test_a_fit_fixes_how_texts_are_read(fitted, name, pooling):
    estimator = fitted(name)
    export = estimator._export()
    assert not is_of_vectorizer(export)
    reading = reading_of_fit(estimator, export)
    assert reading == reading_of(estimator, export)
    assert reading["pooling"] == pooling
    assert reading["max_length"] == estimator.max_length_


def test_parameters_of_a_vectorizer_are_resolved_but_not_fixed(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert, pooling="max", max_length=9)
    export = vectorizer._export()
    assert reading_of_fit(vectorizer, export) == {}
    assert reading_of(vectorizer, export) == {
        "pooling": "max",
        "max_length": 9,
        "long_text": "truncate",
        "prompt": "",
    }


@pytest.mark.parametrize("name", ["ids", "a new model"])
def test_without_features_only_the_length_is_known(fitted, name):
    estimator = fitted(name)
    reading = reading_of(estimator, estimator._export())
    assert reading == {"max_length": estimator.max_length_}
