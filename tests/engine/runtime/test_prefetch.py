"""Computing the next result while the last one is used."""

import threading

import pytest

from sklearn_bert import config_context, get_config
from sklearn_bert._engine.runtime.prefetch import prefetch


def test_results_come_in_order():
    assert list(prefetch(str, range(5))) == ["0", "1", "2", "3", "4"]


def test_no_inputs_give_no_results():
    assert list(prefetch(str, [])) == []


def test_the_next_is_computed_while_the_last_one_is_used():
    is_made = [threading.Event() for _ in range(3)]

    def make(k):
        is_made[k].set()
        return k

    for k in prefetch(make, range(3)):
        assert all(event.wait(timeout=60) for event in is_made[: k + 2])


def test_only_one_is_computed_ahead():
    made = []
    results = prefetch(made.append, range(9))
    next(results)
    next(results)
    results.close()
    assert len(made) == 3


def test_an_error_is_raised_in_place_of_its_result():
    results = prefetch(lambda x: 1 / x, [1, 0])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_the_thread_has_the_configuration_of_the_caller():
    with config_context(show_values=False):
        found = list(prefetch(lambda _: get_config(), [1, 2]))
    assert found == [{"show_values": False}] * 2


def test_the_caller_computes_if_the_system_starts_no_thread(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    found = list(prefetch(lambda k: (k, threading.current_thread()), range(3)))
    assert found == [(k, threading.current_thread()) for k in range(3)]
