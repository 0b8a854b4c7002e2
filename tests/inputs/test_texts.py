"""What counts as texts, and what the errors say about the rest."""

import datetime
import pathlib

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from sklearn_bert._inputs.texts import check_column, check_texts
from sklearn_bert.exceptions import InputError

BARE = "Iterable over raw text documents expected, string object received"
ONLY_TEXTS = r"X must contain only texts \(str\)\. Got "


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("a film", BARE),
        (b"a film", r"Got b'a film' \(bytes\)\. Decode it.*\[str\(X, 'utf-8'\)\]"),
        (np.array("a film"), "must be a list, array, Series or frame"),
        (5, r"Got 5 \(int\)\. Pass a list with one text per sample"),
        (None, r"Got None \(NoneType\)"),
        ([], r"Found array with 0 sample\(s\) \(shape=\(0,\)\)"),
        (np.empty((0, 1), dtype=object), r"\(shape=\(0, 1\)\)"),
        (pd.Series([], dtype=object), r"Found array with 0 sample\(s\)"),
        (pd.DataFrame({"a": []}), r"Found array with 0 sample\(s\)"),
        (["a", None], r"Got None \(NoneType\) in row 1.*missing='empty'"),
        (["a", float("nan")], r"Got nan \(float\) in row 1.*missing='empty'"),
        (["a", np.nan, pd.NA], r"nan \(float\) in row 1, <NA> \(NAType\) in row 2"),
        (
            pd.Series(["a", None], dtype="string"),
            r"row 1.*missing='empty'",
        ),
        (
            pd.Series(["a", None], dtype="category"),
            r"in row 1.*missing='empty'",
        ),
        (pa.array(["a", None]), r"Got None \(NoneType\) in row 1.*missing='empty'"),
        (
            pd.Series([pd.NaT, "a"], dtype=object),
            r"NaT \(NaTType\) in row 0.*missing=",
        ),
        (pl.Series(["a", None]), r"Got None \(NoneType\) in row 1.*missing='empty'"),
        (
            [1, 2, 3, 4],
            r"in row 1, 3 \(int\) in row 2 and 1 more: 4 of 4 rows .*astype\(str\)",
        ),
        (np.array([1.5]), r"Got 1.5 \(float\) in row 0.*astype\(str\)"),
        (np.array([[1, 2]]), r"Got 1 \(int\) in row 0, 2 \(int\) in row 0: 1 of 1"),
        (["a", True], r"Got True \(bool\) in row 1"),
        ([2j, "a"], r"Got 2j \(complex\) in row 0.*Complex data not supported"),
        ([b"a"], r"Got b'a' \(bytes\) in row 0.*decode\('utf-8'\)"),
        (np.array([b"a"]), r"\(bytes\) in row 0"),
        ([datetime.date(2020, 1, 1)], r"in row 0.*Convert these values to texts"),
        ([object()], r"Got <object object at"),
        ([["a", "b", "c"]], r"Got 3 columns\. If X is \[texts\]"),
        ([[]], "Got 0 columns. Pass a text in every row; an empty text"),
        (np.array([["a", "b", "c"]]), "Got 3 columns"),
        (
            np.array([[["a"]]]),
            r"Got 3 dimensions \(shape=\(1, 1, 1\)\).*n_samples",
        ),
        (bytearray(b"a film"), r"\[str\(X, 'utf-8'\)\]"),
        (memoryview(b"a film"), r"\[str\(X, 'utf-8'\)\]"),
        (pathlib.Path("films.txt"), r"Got the path 'films\.txt'\. Read the file first"),
        ([b"a", None], r"Decode bytes first: value\.decode"),
        (
            [1.0, float("nan")],
            r"for x in X\]\. Replace missing values by ''",
        ),
        ([np.float32("nan")], r"missing='empty'"),
        ([[["a", "b"]]], r"Remove a level of lists.*join the parts of each text"),
        ([{}], "Convert these values to texts"),
        ([("a", "b"), None], r"Got None \(NoneType\) in row 1: 1 of 2 .*missing="),
        (pd.DataFrame(index=[0, 1]), "Got 0 columns. Pass a frame that contains the"),
        (pl.DataFrame(), "Got 0 columns. Pass a frame that contains the texts"),
        (
            np.array([("a", 1)], dtype=[("text", "U3"), ("n", int)]),
            r"structured array with the fields 'text', 'n'\..*X\['text'\]",
        ),
        (pd.DataFrame({"a": ["x"], "b": ["y"], "c": ["z"]}), "Got 3 columns"),
        (pl.DataFrame({"a": ["x"], "b": ["y"], "c": ["z"]}), "Got 3 columns"),
        (
            pa.table({"a": ["x"], "b": ["y"], "c": ["z"]}),
            r"Got 3 columns: 'a', 'b',.*X\['a'\]",
        ),
        (pl.DataFrame({"a": ["x"]}).lazy(), r"polars LazyFrame.*X\.collect\(\)"),
        ([("a", "b"), ("c",)], "Got 2 in row 0 and 1 in row 1. Pass both texts of"),
        (["a", ("b", "c")], r"Got 'a' \(str\) in row 0 and \('b', 'c'\) \(tuple\) in"),
        ([("a", None)], r"Got None \(NoneType\) in row 0: 1 of 1 rows"),
        ([[["a"], ["b"]]], r"Got \['a'\] \(list\) in row 0"),
        (["a", {"text": "b"}], r"Select the field of the texts: value\['text'\]"),
        (list(pa.array(["a"])), r"Convert pyarrow scalars first: value\.as_py\(\)"),
        ({"a": "b"}, r"Got a dict\. Pass its values: list\(X\.values\(\)\)"),
        ({"a": ["b"]}, r"Its keys are 'a'\. Select the texts in it.*X\['a'\]"),
        ({}, r"Got a dict\. It is empty\. Pass a list with one text per sample"),
        ({"a"}, r"must be an ordered collection of texts\. Got a set.*sorted\(X\)"),
        (sparse.csr_matrix([[1]]), "Got a sparse matrix, which contains numbers"),
        (sparse.csr_array([[1]]), "Got a sparse matrix"),
    ],
)
def test_what_is_not_text_is_refused(X, message):
    with pytest.raises(InputError, match=message):
        check_texts(X)


def test_pairs_are_refused_as_a_column():
    assert check_column(["a"]) == ["a"]
    for X in ([("a", "b")] * 3, np.array([["a", "b"]] * 3)):
        with pytest.raises(InputError, match=r"one column of texts\. Got 2 .*or join"):
            check_column(X)
    with pytest.raises(InputError, match=r"Got 2 columns: 'a', 'b'\. Select the"):
        check_column(pd.DataFrame({"a": ["x"], "b": ["y"]}))


def test_pairs_are_no_remedy_where_they_are_refused():
    X = [["a", "b", "c"], ["d", "e", "f"]]
    with pytest.raises(InputError, match="pass the pairs"):
        check_texts(X)
    with pytest.raises(InputError, match=r"Got 3 columns\. Select the column"):
        check_column(X)
