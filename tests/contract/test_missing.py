"""Every estimator reads missing values as empty texts, if it is asked to."""

import copy
import functools
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.utils import get_tags

from contract.comparing import assert_same_outputs, outputs
from contract.containers import as_objects
from contract.registry import SUBJECTS
from sklearn_bert.exceptions import InputError

NAN = float("nan")
VALUES = {
    "None": None,
    "nan": NAN,
    "float32 nan": np.float32("nan"),
    "decimal nan": Decimal("nan"),
    "NA": pd.NA,
    "NaT": pd.NaT,
    "numpy NaT": np.datetime64("NaT"),
    "masked": np.ma.masked,
    "pyarrow null": pa.scalar(None),
    "pyarrow null text": pa.scalar(None, pa.string()),
}
# Lists of texts and None in other containers.
TEXTS_IN = {
    "object array": as_objects,
    "column": lambda X: as_objects(X).reshape(-1, 1),
    "masked array": lambda X: np.ma.array(
        ["" if x is None else x for x in X], mask=[x is None for x in X]
    ),
    "Series": pd.Series,
    "pandas string": lambda X: pd.Series(X, dtype="string"),
    "pandas object": lambda X: pd.Series(X, dtype=object),
    "pandas category": lambda X: pd.Series(X, dtype="category"),
    "pandas pyarrow": lambda X: pd.Series(X, dtype=pd.ArrowDtype(pa.string())),
    "pandas frame": lambda X: pd.DataFrame({"text": X}),
    "polars": pl.Series,
    "polars frame": lambda X: pl.DataFrame({"text": X}),
    "pyarrow": pa.array,
    "pyarrow chunks": lambda X: pa.chunked_array([X]),
    "pyarrow table": lambda X: pa.table({"text": X}),
    "generator": lambda X: (x for x in X),
}
if hasattr(np.dtypes, "StringDType"):
    TEXTS_IN["StringDType"] = lambda X: np.array(
        X, dtype=np.dtypes.StringDType(na_object=None)
    )
SENTENCES_IN = {
    "object array": as_objects,
    "Series": pd.Series,
    "pandas frame": lambda X: pd.DataFrame({"words": X}),
    "polars": pl.Series,
    "pyarrow": pa.array,
    "pyarrow table": lambda X: pa.table({"words": X}),
    "generator": lambda X: (x for x in X),
}
PAIRS_IN = {
    "list": list,
    "array": lambda X: np.array(X, dtype=object),
    "pandas frame": lambda X: pd.DataFrame(X, columns=["a", "b"]),
    "polars frame": lambda X: pl.DataFrame(X, schema=["a", "b"], orient="row"),
    "pyarrow table": lambda X: pa.table(
        {"a": [a for a, _ in X], "b": [b for _, b in X]}
    ),
}
ALL = [subject for subject in SUBJECTS if not subject.name]
OF_TEXTS = [subject for subject in ALL if "texts" in subject.kinds]
OF_PAIRS = [subject for subject in ALL if "pairs" in subject.kinds]
OF_WORDS = [subject for subject in ALL if "words" in subject.kinds]


@functools.cache
def _fit(name):
    return next(subject for subject in SUBJECTS if str(subject) == name).fit()


def reader(subject):
    """Return a fitted estimator that reads missing values."""
    return copy.copy(_fit(str(subject))).set_params(missing="empty")


def with_missing(subject, value):
    """Return samples whose second is missing, and the same with an empty one."""
    empty = "" if "texts" in subject.kinds else []
    return [subject.X[0], value, subject.X[2]], [subject.X[0], empty, subject.X[2]]


@pytest.mark.parametrize("subject", ALL, ids=str)
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_each_missing_value_is_an_empty_sample(subject, value):
    X, filled = with_missing(subject, value)
    estimator = reader(subject)
    assert_same_outputs(outputs(estimator, X), outputs(estimator, filled))


def _containers():
    for subject in ALL:
        kinds = TEXTS_IN if subject in OF_TEXTS else SENTENCES_IN
        for name, convert in kinds.items():
            yield pytest.param(subject, convert, id=f"{subject}-{name}")


@pytest.mark.parametrize(("subject", "convert"), _containers())
def test_missing_samples_are_empty_in_every_container(subject, convert):
    X, filled = with_missing(subject, None)
    # With a generator each method needs its own.
    for method in subject.methods:
        call = getattr(reader(subject), method)
        assert_same_outputs({method: call(convert(X))}, {method: call(filled)})


@pytest.mark.parametrize("subject", OF_PAIRS, ids=str)
@pytest.mark.parametrize("convert", PAIRS_IN.values(), ids=PAIRS_IN)
def test_either_text_of_a_pair_may_be_missing(subject, convert):
    a, b = subject.X[:2]
    X = [(a, b), (None, b), (a, None), (None, None)]
    filled = [(a, b), ("", b), (a, ""), ("", "")]
    y = None if subject.y is None else subject.y[:4]
    estimator = subject.make(missing="empty").fit(filled, y)
    given = convert(X)
    if hasattr(given, "columns"):
        estimator = subject.make(missing="empty").fit(given, y)
    assert_same_outputs(outputs(estimator, given), outputs(estimator, convert(filled)))


@pytest.mark.parametrize("subject", OF_PAIRS, ids=str)
def test_a_missing_pair_is_a_pair_of_empty_texts(subject):
    a, b = subject.X[:2]
    filled = [(a, b), ("", ""), (b, a), (b, b)]
    y = None if subject.y is None else subject.y[:4]
    estimator = subject.make(missing="empty").fit(filled, y)
    actual = outputs(estimator, [(a, b), None, (b, a), (b, b)])
    assert_same_outputs(actual, outputs(estimator, filled))


@pytest.mark.parametrize("subject", OF_WORDS, ids=str)
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_missing_word_is_an_empty_word(subject, value):
    estimator = reader(subject)
    actual = outputs(estimator, [["a", value, "film"]])
    assert_same_outputs(actual, outputs(estimator, [["a", "", "film"]]))


@pytest.mark.parametrize("subject", OF_WORDS, ids=str)
def test_a_missing_text_has_no_words(subject):
    estimator = reader(subject).set_params(word_tokenizer=lambda text: text.split(" "))
    assert estimator.split_words(["a film", None]) == [["a", "film"], []]
    assert [len(tags) for tags in estimator.predict(["a film", None])] == [2, 0]
    assert [len(tags) for tags in estimator.predict([None, None])] == [0, 0]


@pytest.mark.parametrize("subject", ALL, ids=str)
def test_fit_reads_missing_samples(subject):
    empty = "" if subject in OF_TEXTS else []
    X, filled = [*subject.X, None], [*subject.X, empty]
    y = subject.y
    if y is not None:
        last = y[:1] if subject in OF_TEXTS else as_objects([[]])
        y = np.concatenate([y, last])
    actual = outputs(subject.fit(X, y, missing="empty"), subject.X)
    assert_same_outputs(actual, outputs(subject.fit(filled, y), subject.X))


@pytest.mark.parametrize("name", ["BertClassifier", "BertRegressor"])
def test_partial_fit_and_score_read_missing_texts(name):
    (subject,) = [subject for subject in ALL if str(subject) == name]
    X, filled = with_missing(subject, None)
    y = subject.y[:3]
    scores = []
    for given in (X, filled):
        estimator = copy.deepcopy(_fit(name)).set_params(missing="empty")
        scores.append(estimator.partial_fit(given, y).score(given, y))
    assert scores[0] == scores[1]


@pytest.mark.parametrize("subject", ALL, ids=str)
def test_missing_samples_are_refused_by_default(subject):
    X, _ = with_missing(subject, None)
    for method in subject.methods:
        with pytest.raises(InputError, match=r"in row 1.*set missing='empty'"):
            getattr(_fit(str(subject)), method)(X)


@pytest.mark.parametrize("subject", ALL, ids=str)
def test_the_parameter_survives_clone_and_sets_a_tag(subject):
    estimator = clone(subject.make(missing="empty"))
    assert estimator.get_params()["missing"] == "empty"
    assert get_tags(estimator).input_tags.allow_nan
    assert not get_tags(subject.make()).input_tags.allow_nan


@pytest.mark.parametrize("subject", ALL, ids=str)
def test_only_missing_values_become_empty(subject):
    X, _ = with_missing(subject, None)
    X[2] = 3
    for method in subject.methods:
        with pytest.raises(InputError, match=r"Got 3 \(int\) in row 2") as caught:
            getattr(reader(subject), method)(X)
        assert "None" not in str(caught.value)
