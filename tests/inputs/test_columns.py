"""In which containers texts may come, and sentences."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sklearn_bert import BertVectorizer
from sklearn_bert._inputs.columns import columns_of, rows_of
from sklearn_bert.exceptions import InputError

ONE = ["a", "b", "c"]
PAIRS = [["a", "d"], ["b", "e"], ["c", "f"]]
FIRST, SECOND = ONE, ["d", "e", "f"]


class Dataset:
    """What a Dataset of the datasets library offers: named columns, rows as dicts."""

    def __init__(self, columns):
        self._columns = columns
        self.column_names = list(columns)

    @property
    def shape(self):
        return len(self), len(self._columns)

    def __len__(self):
        return len(next(iter(self._columns.values())))

    def __getitem__(self, name):
        # A sequence, but not a list.
        return tuple(self._columns[name])

    def __iter__(self):
        rows = zip(*self._columns.values(), strict=True)
        return (dict(zip(self._columns, row, strict=True)) for row in rows)


class Column:
    """An object that can be converted to an array but is not a collection."""

    def __array__(self, dtype=None, copy=None):
        return np.array(ONE)


@pytest.mark.parametrize(
    "X",
    [
        [["a"], ["b"], ["c"]],
        Column(),
        pa.array(ONE),
        pa.array(ONE, type=pa.large_string()),
        pa.array(ONE).dictionary_encode(),
        pa.chunked_array([["a", "b"], ["c"]]),
        pa.table({"text": ONE}),
        pa.record_batch({"text": ONE}),
        pd.Series(ONE, dtype=pd.ArrowDtype(pa.string())),
        Dataset({"text": ONE}),
        Dataset({"text": ONE})["text"],
        dict.fromkeys(ONE).keys(),
        (text for text in ONE),
    ],
    ids=lambda X: type(X).__name__,
)
def test_one_column_is_one_text_in_each_row(X):
    assert columns_of(X) == [ONE]


def as_objects(rows):
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


@pytest.mark.parametrize(
    "X",
    [
        PAIRS,
        zip(FIRST, SECOND, strict=True),
        as_objects([tuple(pair) for pair in PAIRS]),
        [np.array(pair) for pair in PAIRS],
        [pd.Series(pair, index=[5, 0]) for pair in PAIRS],
        pd.DataFrame(PAIRS, columns=["x", "x"]),
        pd.MultiIndex.from_tuples(map(tuple, PAIRS)),
        pa.array(PAIRS),
        pa.table({"x": FIRST, "y": SECOND}),
        pa.table([FIRST, SECOND], names=["x", "x"]),
        Dataset({"x": FIRST, "y": SECOND}),
    ],
    ids=lambda X: type(X).__name__,
)
def test_two_columns_are_pairs(X):
    assert columns_of(X) == [FIRST, SECOND]


def test_two_rows_of_two_texts_are_two_pairs():
    assert columns_of([["a", "b"], ["c", "d"]]) == [["a", "c"], ["b", "d"]]


@pytest.mark.parametrize(
    "X",
    [
        [FIRST, SECOND],
        (FIRST, SECOND),
        [FIRST, [*SECOND, "g"]],
        np.array([FIRST, SECOND]),
        as_objects([FIRST, SECOND]),
        [pd.Series(FIRST), pd.Series(SECOND)],
        [tuple(FIRST), np.array(SECOND)],
    ],
    ids=str,
)
def test_two_lists_of_texts_are_told_to_be_zipped(X):
    with pytest.raises(
        InputError, match=r"columns\. If X is \[a, b\].*list\(zip\(a, b\)\)"
    ):
        columns_of(X)


def test_columns_that_are_too_many_are_not_read():
    class Unreadable(Dataset):
        def __getitem__(self, name):
            raise AssertionError

    with pytest.raises(InputError, match="Got 3 columns"):
        columns_of(Unreadable({"a": ONE, "b": ONE, "c": ONE}))


@pytest.mark.parametrize(
    "X",
    [
        pa.array([["a", "b"], ["c"]]),
        pa.table({"words": [["a", "b"], ["c"]]}),
        Dataset({"words": [["a", "b"], ["c"]]}),
        pd.DataFrame({"words": [["a", "b"], ["c"]]}),
    ],
    ids=lambda X: type(X).__name__,
)
def test_rows_are_those_of_the_only_column(X):
    assert rows_of(X) == [["a", "b"], ["c"]]


def test_names_of_the_columns_of_a_table_are_remembered(tiny_bert):
    vectorizer = BertVectorizer(tiny_bert).fit(pa.table({"text": ONE}))
    assert vectorizer.feature_names_in_.tolist() == ["text"]


def test_read_only_memory_map_is_read(tmp_path):
    saved = np.array(["good", "bad"])
    saved.tofile(tmp_path / "texts")
    mapped = np.memmap(tmp_path / "texts", dtype=saved.dtype, mode="r")
    assert columns_of(mapped) == [["good", "bad"]]
