"""A vectorizer on the tiny BERT."""

import pytest

from sklearn_bert import BertVectorizer


@pytest.fixture
def vectorizer(tiny_bert):
    return BertVectorizer(tiny_bert)
