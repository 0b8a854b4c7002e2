"""Runs of items: within the limits, in order, as few as possible."""

import pytest

from sklearn_bert._engine.runtime.splitting import split_greedily


def split(sizes, **limits):
    return list(split_greedily(sizes, int, **limits))


def test_no_items_give_no_runs():
    assert split([], max_size=3, max_items=3) == []


def test_without_limits_all_is_one_run():
    assert split([1, 2, 3]) == [[1, 2, 3]]


def test_a_run_is_no_larger_than_the_limit():
    assert split([1, 2, 3, 1], max_size=3) == [[1, 2], [3], [1]]


def test_a_run_has_no_more_items_than_the_limit():
    assert split([1, 1, 1], max_items=2) == [[1, 1], [1]]


@pytest.mark.parametrize("max_items", [None, 2])
def test_an_item_larger_than_the_limit_is_a_run_of_its_own(max_items):
    assert split([9, 1, 9], max_size=3, max_items=max_items) == [[9], [1], [9]]


def test_items_without_size_count_as_items():
    assert split([0, 0, 5, 0], max_size=5, max_items=3) == [[0, 0, 5], [0]]
