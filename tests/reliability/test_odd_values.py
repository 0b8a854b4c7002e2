"""Values that are hard to quote, and odd numbers and frames, are named in errors."""

import numpy as np
import pandas as pd
import pytest

from sklearn_bert import (
    BertClassifier,
    BertMaskedLM,
    BertRegressor,
    BertTokenClassifier,
    BertVectorizer,
)
from sklearn_bert.exceptions import InputError

TEXTS = ["a good film", "the bad plot", "good music", "bad and dull"]
QUICK = {"n_epochs": 1, "random_state": 0, "dtype": "float32"}


class Silent:
    def __repr__(self):
        raise ZeroDivisionError


def nested(depth):
    value = ["a"]
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "kind"), [(nested(3000), "list"), (Silent(), "Silent")]
)
def test_a_value_without_a_repr_is_quoted_by_its_type(tiny_bert, value, kind):
    quoted = rf"a value without a repr \({kind}\)"
    vectorizer = BertVectorizer(tiny_bert)
    for X in (value, ["a", value]):
        with pytest.raises(InputError, match=quoted):
            vectorizer.transform(X)
    with pytest.raises(InputError, match=quoted):
        BertMaskedLM(tiny_bert).fit(text for text in ["a", value])
    with pytest.raises(InputError, match=quoted):
        BertTokenClassifier(tiny_bert).fit([["a", value]], [["A", "B"]])
    with pytest.raises(ValueError, match=quoted):
        BertClassifier(tiny_bert).fit(TEXTS, [value] * 4)
    with pytest.raises(ValueError, match=quoted):
        BertClassifier(tiny_bert).partial_fit(TEXTS, [0, 1, 0, 1], classes=value)


def test_other_places_quote_a_value_without_a_repr(tiny_bert):
    quoted = r"a value without a repr \(Silent\)"
    weights = {0: Silent(), 1: 1}
    with pytest.raises(ValueError, match=quoted):
        BertClassifier(tiny_bert, class_weight=weights).fit(TEXTS, [0, 1, 0, 1])
    with pytest.raises(ValueError, match=quoted):
        BertVectorizer(tiny_bert).fit(TEXTS).get_feature_names_out(Silent())


def test_columns_of_the_same_name_are_refused(tiny_bert):
    X = pd.DataFrame([["a", "b"]] * 4, columns=["t", "t"])
    with pytest.raises(InputError, match=r"different names\. Got 't' for both\."):
        BertVectorizer(tiny_bert).fit(X)
    with pytest.raises(InputError, match=r"different names\. Got 't' for both\."):
        BertClassifier(tiny_bert, **QUICK).fit(X, [0, 1, 0, 1])
    # The remedy.
    assert len(BertVectorizer(tiny_bert).fit_transform(X.to_numpy())) == 4


def test_an_array_without_columns_is_refused(tiny_bert):
    regressor = BertRegressor(tiny_bert, **QUICK).fit(TEXTS, [0, 1, 2, 3])
    with pytest.raises(InputError, match=r"Got 0 columns\. Pass a text in every row"):
        regressor.predict(np.empty((6, 0)))


@pytest.mark.parametrize("number", [5e-324, 1e-310, 2e-308])
def test_targets_below_the_normal_numbers_are_learned_as_a_constant(tiny_bert, number):
    regressor = BertRegressor(tiny_bert, **QUICK).fit(TEXTS, [number, 0, 0, 0])
    predicted = regressor.predict(TEXTS)
    assert np.abs(predicted).max() <= number
    # The scale is inverted to continue.
    regressor.partial_fit(TEXTS, [number, 0, 0, 0])
    assert np.isfinite(regressor.predict(TEXTS)).all()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b", "c", "d"], r"y must contain numbers\. Got 'a' \(str\) in row 0"),
        ([1, 2, 3, None], "1 of 4 numbers are missing, in row 3"),
        ([1, 2, 3, Silent()], r"y must contain numbers\. Got .* \(Silent\) in row 3"),
        (None, "BertRegressor requires y to be passed"),
    ],
)
def test_the_score_of_a_regressor_reads_y_as_fit_does(tiny_bert, y, message):
    regressor = BertRegressor(tiny_bert, **QUICK).fit(TEXTS, [0, 1, 2, 3])
    for method in (regressor.score, regressor.fit):
        with pytest.raises(ValueError, match=message):
            method(TEXTS, y)
