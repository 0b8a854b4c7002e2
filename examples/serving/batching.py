"""Concurrent requests, answered together by one call of the estimator."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any

# From rows to one answer per row, such as the predict_proba of an estimator.
Call = Callable[[list[Any]], Sequence[Any]]


class QueueFullError(Exception):
    """Too many rows are waiting, or the batcher is closed."""


@dataclass(eq=False)
class Job:
    """The rows of one request.

    Attributes
    ----------
    call : callable
    rows : list
    future : Future
        Will hold the answers, one per row.
    arrived : float
        Seconds of the monotonic clock.
    """

    call: Call
    rows: list[Any]
    future: Future[Sequence[Any]] = field(default_factory=Future)
    arrived: float = field(default_factory=time.monotonic)


class Batcher:
    """Collects jobs and answers them in a thread, one call at a time.

    A call starts when enough rows are waiting, or ``max_wait`` after the first job
    arrives or the previous call ends. Jobs that arrive during a call, and those that
    its clients send next, are answered together by the next call.

    Parameters
    ----------
    max_batch : int
        Rows per call. A job with more rows gets a call of its own.
    max_wait : float
        Seconds that a job waits for others while the estimator is idle.
    max_queue : int
        Rows that may be waiting. More are refused, so that memory and the time until
        an answer are bounded.
    """

    def __init__(self, max_batch: int, max_wait: float, max_queue: int) -> None:
        self._max_batch = max_batch
        self._max_wait = max_wait
        self._max_queue = max_queue
        self._waiting: deque[Job] = deque()
        self._running: list[Job] = []
        self._is_closed = False
        self._changed = Condition()
        # A daemon, so that a call that hangs does not keep the process alive.
        self._thread = Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, call: Call, rows: list[Any]) -> Future[Sequence[Any]]:
        """Queue rows, and return the future of their answers.

        Raises
        ------
        QueueFullError
        """
        job = Job(call, rows)
        with self._changed:
            if self._is_closed or self.n_waiting() + len(rows) > self._max_queue:
                raise QueueFullError
            self._waiting.append(job)
            self._changed.notify_all()
        return job.future

    def n_waiting(self) -> int:
        """Return the number of rows that wait for a call."""
        with self._changed:
            return sum(len(job.rows) for job in self._waiting)

    def age(self) -> float:
        """Return how long the oldest unanswered job has waited, in seconds."""
        with self._changed:
            jobs = [*self._running, *self._waiting]
        now = time.monotonic()
        return max((now - job.arrived for job in jobs), default=0.0)

    def close(self, timeout: float) -> None:
        """Refuse new jobs, and wait until all others are answered.

        Parameters
        ----------
        timeout : float
            Seconds. Jobs that are not answered by then never will be.
        """
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _work(self) -> None:
        while jobs := self._next_jobs():
            # A job whose client has given up is cancelled.
            if kept := [x for x in jobs if x.future.set_running_or_notify_cancel()]:
                answer(kept)
            with self._changed:
                self._running = []

    def _next_jobs(self) -> list[Job]:
        """Wait for the jobs of the next call; none if the batcher is closed."""
        idle_since = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if not self._waiting:
                return []
            due = max(idle_since, self._waiting[0].arrived) + self._max_wait
            self._changed.wait_for(self._is_due, timeout=due - time.monotonic())
            self._running = self._take()
            return self._running

    def _is_due(self) -> bool:
        return self._is_closed or self.n_waiting() >= self._max_batch

    def _take(self) -> list[Job]:
        """Remove the oldest job from the queue, and those that fit into its call."""
        taken = [self._waiting.popleft()]
        n_rows = len(taken[0].rows)
        others: deque[Job] = deque()
        for job in self._waiting:
            fits = n_rows + len(job.rows) <= self._max_batch
            if fits and job.call == taken[0].call:
                taken.append(job)
                n_rows += len(job.rows)
            else:
                others.append(job)
        self._waiting = others
        return taken


def answer(jobs: list[Job]) -> None:
    """Answer jobs together; if that fails, in halves until the failing job is alone."""
    rows = [row for job in jobs for row in job.rows]
    try:
        answers = jobs[0].call(rows)
        if len(answers) != len(rows):
            raise RuntimeError(f"{len(answers)} answers to {len(rows)} rows")
    # Whatever it is belongs to the client of the job, and not to this thread.
    except Exception as error:
        if len(jobs) == 1:
            jobs[0].future.set_exception(error)
            return
        answers = None
    # Not in the handler: the error may quote the rows of all, and would become the
    # context of the errors of each.
    if answers is None:
        middle = len(jobs) // 2
        answer(jobs[:middle])
        answer(jobs[middle:])
        return
    start = 0
    for job in jobs:
        end = start + len(job.rows)
        job.future.set_result(answers[start:end])
        start = end
