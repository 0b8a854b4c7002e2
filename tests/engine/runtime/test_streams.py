"""Batches that are computed in parallel, each by one thread."""

import gc
import subprocess
import sys
import threading
import time
import weakref

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


def test_fewer_inputs_than_threads_use_all_of_them():
    torch.set_num_threads(7)
    assert map_in_streams(lambda _: torch.get_num_threads(), range(3)) == [2] * 3


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


def test_a_thread_that_uses_torch_first_meanwhile_gets_as_many_as_others(monkeypatch):
    found, threads = [], []
    set_number = torch.set_num_threads

    def set_and_start(n):
        set_number(n)
        if n == 1:
            thread = threading.Thread(target=lambda: found.append(count_streams()))
            threads.append(thread)
            thread.start()
            # Without a lock, the thread would end.
            thread.join(timeout=0.1)

    monkeypatch.setattr(torch, "set_num_threads", set_and_start)
    map_in_streams(str, range(2))
    for thread in threads:
        thread.join()
    assert found == [2, 2]


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


def test_an_error_does_not_keep_what_failed_alive():
    class Large:
        pass

    kept = []

    def make(_):
        large = Large()
        kept.append(weakref.ref(large))
        raise ValueError

    gc.disable()
    try:
        map_in_streams(make, range(2))
    except ValueError:
        pass
    finally:
        gc.enable()
    assert {one() for one in kept} == {None}


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


@pytest.mark.parametrize("n_started", [0, 1])
def test_the_caller_computes_if_the_system_starts_no_more_threads(
    monkeypatch, n_started
):
    n_before, start, started = threading.active_count(), threading.Thread.start, []

    def start_some(thread):
        if len(started) == n_started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    found = map_in_streams(lambda k: (k, threading.current_thread()), range(5))
    assert found == [(k, threading.current_thread()) for k in range(5)]
    assert threading.active_count() == n_before
    assert torch.get_num_threads() == 2


def test_work_goes_on_at_the_end_of_the_process():
    code = """
import atexit, threading, torch
from sklearn_bert._engine.runtime.streams import map_in_streams

def work():
    print(map_in_streams(str, range(3)))

def work_later():
    threading.main_thread().join()
    work()

torch.set_num_threads(2)
threading.Thread(target=work_later).start()
atexit.register(work)
"""
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "['0', '1', '2']\n" * 2
    assert ended.stderr == ""
