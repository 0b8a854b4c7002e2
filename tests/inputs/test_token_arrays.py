"""Token ids as arrays, and counts of tokens."""

import numpy as np
import pytest

from sklearn_bert._engine.text.token_sequences import TokenSequences
from sklearn_bert._inputs.token_arrays import (
    BLOCKS,
    count_tokens,
    name_columns,
    pad_tokens,
    read_counts,
    read_ids,
)
from sklearn_bert.exceptions import InputError

PAIRS = TokenSequences([[2, 7, 3, 8, 3], [2, 3, 3]], [3, 2], [0, 1])


def test_blocks_are_ids_mask_and_segments_side_by_side():
    assert pad_tokens(PAIRS, BLOCKS, 6, 0).tolist() == [
        [2, 7, 3, 8, 3, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0],
        [2, 3, 3, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0],
    ]


def test_ids_are_read_back():
    padded = pad_tokens(PAIRS, BLOCKS, 6, 0)
    np.testing.assert_array_equal(read_ids(padded, 3, 6, 9), padded[:, :6])


@pytest.mark.parametrize("value", [-1, 10, 0.5])
def test_what_is_not_an_id_is_refused(value):
    with pytest.raises(InputError, match="integers from 0 to 9"):
        read_ids([[2, value, 3]], 1, 3, 9)


def test_other_columns_are_refused():
    with pytest.raises(InputError, match="X must have 6 columns"):
        read_ids([[2, 3]], 1, 6, 9)


def test_special_tokens_are_not_counted():
    counts = count_tokens(TokenSequences([[2, 7, 7, 5, 3]], None, [0]), {2, 3}, 9)
    assert counts.toarray().tolist() == [[0, 0, 0, 0, 0, 1, 0, 2, 0]]


def test_counts_are_read_as_the_names_of_their_columns():
    names = name_columns({"a": 0, "c": 2}, 4)
    assert names.tolist() == ["a", "unused1", "c", "unused3"]
    (found,) = read_counts([[1, 0, 3, 0]], names)
    assert found.tolist() == ["a", "c"]
