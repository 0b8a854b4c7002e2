"""Threads for several devices run at the same time, and keep the order of results."""

import threading

import pytest

import sklearn_bert
from sklearn_bert._engine.runtime.threads import map_in_threads


def test_all_inputs_are_computed_at_the_same_time():
    all_started = threading.Barrier(3, timeout=30)

    def make(number):
        all_started.wait()
        return number, sklearn_bert.get_config()["show_values"]

    with sklearn_bert.config_context(show_values=False):
        assert map_in_threads(make, [1, 2, 3]) == [(1, False), (2, False), (3, False)]


def test_a_single_input_needs_no_thread():
    assert map_in_threads(lambda _: threading.current_thread(), [0]) == [
        threading.current_thread()
    ]


def test_an_error_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        map_in_threads(lambda number: 1 / number, [1, 0])
