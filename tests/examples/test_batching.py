"""Jobs are answered together, each with its own answers."""

import random
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event

import pytest
from serving.batching import Batcher, QueueFullError

SOON = 20


class Recorder:
    """An estimator that answers after ``go`` is set, and remembers its calls."""

    def __init__(self):
        self.go = Event()
        self.started = Event()
        self.calls = []

    def call(self, rows):
        self.calls.append(rows)
        self.started.set()
        assert self.go.wait(SOON)
        if "bad" in rows:
            raise ValueError(f"bad is in {rows}")
        return [row.upper() for row in rows]

    def other(self, rows):
        self.calls.append(["other", *rows])
        return rows


@pytest.fixture
def recorder():
    return Recorder()


@contextmanager
def batching(max_batch=64, max_wait=0.0, max_queue=512):
    batcher = Batcher(max_batch, max_wait, max_queue)
    try:
        yield batcher
    finally:
        batcher.close(SOON)


@contextmanager
def busy(recorder, **settings):
    """A batcher whose estimator is busy with a first job until ``go`` is set."""
    with batching(**settings) as batcher:
        first = batcher.submit(recorder.call, ["first"])
        assert recorder.started.wait(SOON)
        try:
            yield batcher
        finally:
            recorder.go.set()
            first.result(SOON)


def test_jobs_that_arrive_during_a_call_are_answered_by_the_next(recorder):
    with busy(recorder) as batcher:
        jobs = [batcher.submit(recorder.call, [f"a{k}", f"b{k}"]) for k in range(5)]
        assert batcher.n_waiting() == 10
        recorder.go.set()
        results = [job.result(SOON) for job in jobs]

    assert results == [[f"A{k}", f"B{k}"] for k in range(5)]
    assert [len(rows) for rows in recorder.calls] == [1, 10]


def test_a_full_batch_does_not_wait(recorder):
    recorder.go.set()
    with batching(max_batch=3, max_wait=10 * SOON) as batcher:
        jobs = [batcher.submit(recorder.call, [letter]) for letter in "abc"]
        assert [job.result(SOON) for job in jobs] == [["A"], ["B"], ["C"]]

    assert recorder.calls == [["a", "b", "c"]]


def test_a_single_job_waits_for_others_and_no_longer(recorder):
    recorder.go.set()
    with batching(max_wait=0.2) as batcher:
        start = time.monotonic()
        assert batcher.submit(recorder.call, ["a"]).result(SOON) == ["A"]
        assert time.monotonic() - start >= 0.2


def test_after_a_call_its_clients_can_join_the_next(recorder):
    with batching(max_wait=1.0, max_batch=2) as batcher:
        first = batcher.submit(recorder.call, ["first", "of all"])
        assert recorder.started.wait(SOON)
        early = batcher.submit(recorder.call, ["early"])
        time.sleep(1.1)
        recorder.go.set()
        first.result(SOON)
        batcher.submit(recorder.call, ["late"]).result(SOON)
        assert early.done()

    assert recorder.calls[1:] == [["early", "late"]]


def test_no_call_has_more_rows_than_allowed(recorder):
    with busy(recorder, max_batch=4) as batcher:
        sizes = [3, 3, 1, 9, 1]
        jobs = [batcher.submit(recorder.call, ["a"] * size) for size in sizes]
        recorder.go.set()
        assert [len(job.result(SOON)) for job in jobs] == sizes

    # A job that is too large alone is not divided.
    assert [len(rows) for rows in recorder.calls[1:]] == [4, 4, 9]


def test_different_methods_are_called_for_their_own_jobs(recorder):
    with busy(recorder) as batcher:
        call, other = recorder.call, recorder.other
        methods = [call, other, call, other]
        jobs = [batcher.submit(one, [str(k)]) for k, one in enumerate(methods)]
        recorder.go.set()
        wait(jobs, SOON)

    assert recorder.calls[1:] == [["0", "2"], ["other", "1", "3"]]


def test_a_failing_job_fails_alone_and_hears_of_no_other(recorder):
    with busy(recorder) as batcher:
        texts = ["a", "b", "bad", "c", "d", "e", "bad", "f"]
        jobs = [batcher.submit(recorder.call, [text]) for text in texts]
        recorder.go.set()
        wait(jobs, SOON)

    for text, job in zip(texts, jobs, strict=True):
        if text == "bad":
            with pytest.raises(ValueError, match=r"^bad is in \['bad'\]$") as caught:
                job.result()
            # Nor does the log.
            assert caught.value.__context__ is None
        else:
            assert job.result() == [text.upper()]


def test_too_few_answers_are_an_error():
    with batching() as batcher:
        job = batcher.submit(lambda rows: rows[1:], ["a", "b"])
        with pytest.raises(RuntimeError, match="1 answers to 2 rows"):
            job.result(SOON)


def test_a_full_queue_refuses_a_job_and_keeps_the_others(recorder):
    with busy(recorder, max_queue=3) as batcher:
        kept = batcher.submit(recorder.call, ["a", "b"])
        with pytest.raises(QueueFullError):
            batcher.submit(recorder.call, ["c", "d"])
        also_kept = batcher.submit(recorder.call, ["e"])
        recorder.go.set()
        assert kept.result(SOON) == ["A", "B"]
        assert also_kept.result(SOON) == ["E"]


def test_a_cancelled_job_is_not_computed(recorder):
    with busy(recorder) as batcher:
        given_up = batcher.submit(recorder.call, ["given up"])
        other = batcher.submit(recorder.call, ["other"])
        assert given_up.cancel()
        recorder.go.set()
        assert other.result(SOON) == ["OTHER"]

    assert recorder.calls == [["first"], ["other"]]
    with pytest.raises(CancelledError):
        given_up.result()


def test_a_queue_of_cancelled_jobs_does_not_stop_the_batcher(recorder):
    with busy(recorder) as batcher:
        assert batcher.submit(recorder.call, ["given up"]).cancel()
        recorder.go.set()
        while batcher.n_waiting():
            time.sleep(0.001)
        assert batcher.submit(recorder.call, ["next"]).result(SOON) == ["NEXT"]


def test_close_answers_what_waits_and_refuses_the_rest(recorder):
    recorder.go.set()
    with batching(max_wait=10 * SOON) as batcher:
        job = batcher.submit(recorder.call, ["a"])
        batcher.close(SOON)
        assert job.result(timeout=0) == ["A"]
        with pytest.raises(QueueFullError):
            batcher.submit(recorder.call, ["b"])


def test_close_does_not_wait_for_a_call_that_hangs(recorder):
    with busy(recorder) as batcher:
        start = time.monotonic()
        batcher.close(timeout=0.1)
        assert time.monotonic() - start < SOON / 2


def test_age_is_that_of_the_oldest_job_without_an_answer(recorder):
    with busy(recorder) as batcher:
        time.sleep(0.1)
        batcher.submit(recorder.call, ["a"])
        assert batcher.age() >= 0.1
        recorder.go.set()
        while batcher.n_waiting():
            time.sleep(0.001)
    assert batcher.age() == 0


def test_every_client_of_many_gets_its_own_answers():
    chance = random.Random(0)
    rows = [[str(chance.random()) for _ in range(k % 5 + 1)] for k in range(300)]

    def call(texts):
        return [float(text) for text in texts]

    with (
        batching(max_batch=16, max_wait=0.001) as batcher,
        ThreadPoolExecutor(32) as pool,
    ):
        found = list(pool.map(lambda own: batcher.submit(call, own).result(SOON), rows))

    assert found == [[float(text) for text in own] for own in rows]
