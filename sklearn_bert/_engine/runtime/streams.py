"""Parallel streams on a CPU: threads that share the cores, each with its own batches.

torch uses all cores for each operation, one after the other, and waits for the slowest
core each time. If another process uses one of them, most of the time is spent waiting.
Streams compute whole batches, and wait only for the last one.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from threading import Barrier, BrokenBarrierError
from typing import TypeVar

import torch

from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")

# While streams start, other threads must not use torch for the first time: they would
# keep the number of threads of a stream.
_STARTING = ForkSafeLock()


def count_streams() -> int:
    """Return the most streams: the number of threads of torch in the calling thread."""
    with _STARTING.current:
        return torch.get_num_threads()


def map_in_streams(
    make: Callable[[_Input], _Output], inputs: Sequence[_Input]
) -> list[_Output]:
    """Return the result of ``make`` for each input, several at a time.

    A single input is computed by the calling thread, with all its threads of torch. So
    are all inputs if no thread can start, which is so at the end of the process.

    Parameters
    ----------
    make : callable
        Called in other threads, with the configuration of the caller.
    inputs : sequence

    Returns
    -------
    list
        In the order of the inputs.
    """
    n_threads = count_streams()
    n_streams = min(n_threads, len(inputs))
    if n_streams > 1:
        pool = ThreadPoolExecutor(n_streams)
        try:
            waiting = _submit(pool, make, inputs, n_threads, n_streams)
            if waiting is not None:
                return [one.result() for one in waiting]
        finally:
            # After an error or Ctrl-C, the others need not start.
            pool.shutdown(cancel_futures=True)
    return [make(one) for one in inputs]


def _submit(
    pool: ThreadPoolExecutor,
    make: Callable[[_Input], _Output],
    inputs: Sequence[_Input],
    n_threads: int,
    n_streams: int,
) -> list[Future[_Output]] | None:
    """Let streams compute all inputs; return None if the system starts no threads."""
    try:
        _start_streams(pool, n_threads, n_streams)
        return [pool.submit(copy_context().run, make, one) for one in inputs]
    except RuntimeError:
        return None


def _start_streams(pool: ThreadPoolExecutor, n_threads: int, n_streams: int) -> None:
    """Start threads among which those of torch are divided; change no other thread."""
    all_started = Barrier(n_streams + 1)

    def start() -> None:
        # The first use of a thread sets its number, which must happen before.
        torch.get_num_threads()
        torch.set_num_threads(n_threads // n_streams)
        with suppress(BrokenBarrierError):
            all_started.wait()

    with _STARTING.current:
        try:
            for _ in range(n_streams):
                pool.submit(start)
            all_started.wait()
        except BaseException:
            # Those that have started must not wait for the others.
            all_started.abort()
            raise
        finally:
            # Threads that start later get the last number that any thread has set.
            torch.set_num_threads(n_threads)
