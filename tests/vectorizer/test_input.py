"""Containers of texts and pairs, and what they may hold."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_bert.exceptions import DeviceMemoryError, InputError


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        lambda x: np.array(x, dtype=object),
        lambda x: np.array(x),
        lambda x: np.array(x, dtype=object).reshape(-1, 1),
        lambda x: pd.Series(x, index=range(len(x), 0, -1)),
        lambda x: pd.Series(x, index=[0] * len(x)),
        lambda x: pd.Series(x, dtype="string"),
        lambda x: pd.Series(x, dtype="category"),
        lambda x: pd.DataFrame({"text": x}),
        lambda x: pl.Series("text", x),
        lambda x: pl.Series("text", x, dtype=pl.Categorical),
        lambda x: pl.DataFrame({"text": x}),
        iter,
    ],
    ids=[
        "tuple",
        "object",
        "<U",
        "column",
        "odd index",
        "duplicated index",
        "string",
        "category",
        "frame",
        "polars",
        "polars category",
        "polars frame",
        "iterator",
    ],
)
def test_containers_give_equal_features(vectorizer, texts, container):
    expected = vectorizer.transform(texts)
    np.testing.assert_array_equal(vectorizer.transform(container(texts)), expected)


@pytest.mark.parametrize(
    "container",
    [
        lambda a, b: np.array([a, b], dtype=object).T,
        lambda a, b: np.array([a, b]).T,
        lambda a, b: pd.DataFrame({"a": a, "b": b}),
        lambda a, b: pl.DataFrame({"a": a, "b": b}),
        lambda a, b: [list(pair) for pair in zip(a, b, strict=True)],
    ],
    ids=["object", "<U", "frame", "polars", "lists"],
)
def test_containers_of_pairs_give_equal_features(vectorizer, texts, container):
    first, second = texts[:20], texts[20:]
    expected = vectorizer.transform(list(zip(first, second, strict=True)))
    features = vectorizer.transform(container(first, second))
    np.testing.assert_array_equal(features, expected)


def test_control_tokens_typed_into_a_text_are_words(vectorizer):
    typed, spelled = vectorizer.transform(["good [SEP] film", "good [ sep ] film"])
    np.testing.assert_allclose(typed, spelled, atol=1e-6)


def test_an_empty_text_is_a_text(vectorizer):
    assert np.isfinite(vectorizer.transform([""])).all()


def test_a_fit_that_fails_changes_nothing(vectorizer, texts):
    vectorizer.fit(texts)
    before = dict(vars(vectorizer))
    vectorizer.max_length = 5
    with pytest.raises(ValueError, match="max_length must be at least 6 for pairs"):
        vectorizer.fit([("good", "bad")])
    assert vars(vectorizer) == {**before, "max_length": 5}


def test_a_refit_that_fails_to_encode_changes_nothing(
    vectorizer, texts, shorten_memory
):
    vectorizer.fit_transform(texts)
    before = dict(vars(vectorizer))
    shorten_memory(lambda call, ids: True)
    with pytest.raises(DeviceMemoryError):
        vectorizer.fit_transform(pd.DataFrame({"a": ["good"], "b": ["bad"]}))
    assert vars(vectorizer) == before


def test_number_of_columns_of_fit_is_kept(vectorizer):
    vectorizer.fit(["good", "bad"])
    with pytest.raises(InputError, match="X has 2 features, but BertVectorizer is"):
        vectorizer.transform([("good", "bad")])
