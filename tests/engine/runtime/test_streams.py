"""Batches that are computed in parallel, each by one thread."""

import threading
import time

import pytest
import torch

from sklearn_bert import config_context, get_config
from sklearn_bert._engine.runtime.streams import count_streams, map_in_streams


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def threads_of_a_new_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def test_results_are_in_the_order_of_the_inputs():
    assert map_in_streams(str, range(7)) == [*"0123456"]


def test_two_are_computed_at_the_same_time():
    both = threading.Barrier(2)
    map_in_streams(lambda _: both.wait(timeout=60), range(2))


def test_each_stream_uses_one_thread():
    assert map_in_streams(lambda _: torch.get_num_threads(), range(4)) == [1] * 4


def test_the_number_of_streams_is_that_of_the_threads_of_torch():
    torch.set_num_threads(3)
    assert count_streams() == 3
    three = threading.Barrier(3)
    map_in_streams(lambda _: three.wait(timeout=60), range(3))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_single_input_or_thread_is_left_to_the_caller(n_threads):
    torch.set_num_threads(n_threads)
    inputs = range(1 if n_threads == 2 else 3)
    found = map_in_streams(lambda _: threading.current_thread(), inputs)
    assert set(found) == {threading.current_thread()}


def test_the_caller_keeps_its_threads():
    map_in_streams(str, range(3))
    assert torch.get_num_threads() == 2


def test_threads_that_start_meanwhile_or_later_get_as_many_as_before():
    meanwhile = map_in_streams(lambda _: threads_of_a_new_thread(), range(2))
    assert [*meanwhile, threads_of_a_new_thread()] == [2, 2, 2]


def test_streams_have_the_configuration_of_the_caller():
    with config_context(show_values=False):
        found = map_in_streams(lambda _: get_config()["show_values"], range(3))
    assert found == [False] * 3


def test_an_error_ends_the_work():
    done = []

    def make(k):
        if k == 0:
            raise ValueError("no")
        time.sleep(0.01)
        done.append(k)

    with pytest.raises(ValueError, match="no"):
        map_in_streams(make, range(1000))
    assert len(done) < 999
    assert torch.get_num_threads() == 2


def test_ctrl_c_while_the_streams_start_leaves_no_thread(monkeypatch):
    n_before = threading.active_count()

    class Interrupted(threading.Barrier):
        def wait(self, timeout=None):
            if threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr("sklearn_bert._engine.runtime.streams.Barrier", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        map_in_streams(str, range(3))
    assert threading.active_count() == n_before
    assert torch.get_num_threads() == 2
