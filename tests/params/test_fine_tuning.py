"""Which parameters the estimators that fine-tune share, and with which defaults."""

from inspect import signature

import pytest

from sklearn_bert import BertClassifier, BertRegressor, BertTokenClassifier
from sklearn_bert._params.fine_tuning import FINE_TUNING, TAGGING

ESTIMATORS = [BertClassifier, BertRegressor, BertTokenClassifier]


@pytest.mark.parametrize("kind", [BertClassifier, BertRegressor])
def test_fine_tuners_of_texts_have_every_shared_parameter(kind):
    assert set(FINE_TUNING) <= set(signature(kind).parameters)


def test_words_are_neither_pooled_nor_truncated():
    assert {"pooling", "long_text"} & set(TAGGING) == set()
    assert set(TAGGING) == set(signature(BertTokenClassifier).parameters)


@pytest.mark.parametrize("name", sorted(set(FINE_TUNING) & set(TAGGING)))
def test_a_shared_parameter_has_one_default(name):
    defaults = {signature(kind).parameters[name].default for kind in ESTIMATORS}
    assert len(defaults) == 1
