"""The numbers of rows in messages."""

import pytest

from sklearn_bert import BertClassifier, BertTokenClassifier, BertVectorizer
from sklearn_bert._engine.runtime.rows import name_row, rows_counted_from
from sklearn_bert.exceptions import InputError, NonFiniteError


def test_rows_are_counted_from_0_without_a_whole():
    assert name_row(3) == "row 3"


def test_rows_are_counted_in_the_whole_and_again_from_0_after_it():
    with rows_counted_from(10, 5, "a.parquet"):
        assert name_row(3) == "row 13 of a.parquet"
    assert name_row(3) == "row 3"


def test_an_error_gets_a_note_of_the_rows():
    with pytest.raises(KeyError) as caught, rows_counted_from(10, 5, "a.parquet"):
        raise KeyError
    assert caught.value.__notes__ == ["In rows 10 to 14 of a.parquet."]


@pytest.mark.parametrize(
    ("X", "shown"),
    [
        (["a", None], "in row 11 of p:"),
        ([("a", "b"), "a"], "in row 10 of p and 'a' (str) in row 11 of p."),
        ([("a", "b"), ("a",)], "in row 10 of p and 1 in row 11 of p."),
    ],
)
def test_errors_about_texts_count_so(tiny_bert, X, shown):
    with rows_counted_from(10, 2, "p"), pytest.raises(InputError) as caught:
        BertVectorizer(tiny_bert).transform(X)
    assert shown in str(caught.value)


@pytest.mark.parametrize(
    ("X", "shown"),
    [
        ([["a"], [None]], "in sentence 11, word 0 of p:"),
        ([["a"], 3], "in row 11 of p."),
        ([["a"], "a b"], "in row 10 of p and 'a b' (str) in row 11 of p."),
    ],
)
def test_errors_about_sentences_count_so(tiny_bert, X, shown):
    estimator = BertTokenClassifier(tiny_bert)
    with rows_counted_from(10, 2, "p"), pytest.raises(InputError) as caught:
        estimator.fit(X, [["O"], ["O"]])
    assert shown in str(caught.value)


def test_errors_about_outputs_count_so(tiny_bert):
    texts = ["a film", "a story"]
    classifier = BertClassifier(tiny_bert, n_epochs=1, random_state=0).fit(
        texts, ["good", "bad"]
    )
    classifier.coef_ = classifier.coef_ * float("nan")
    with rows_counted_from(10, 2, "p"), pytest.raises(NonFiniteError) as caught:
        classifier.predict(texts)
    assert "rows 10, 11 of p." in str(caught.value)
