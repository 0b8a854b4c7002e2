"""Parallel streams on a CPU: as many threads as cores, each of which uses one core.

torch uses all cores for each operation, one after the other, and waits for the slowest
core each time. If another process uses one of them, most of the time is spent waiting.
Streams compute whole batches, and wait only for the last one.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from threading import Barrier, BrokenBarrierError
from typing import TypeVar

import torch

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")


def count_streams() -> int:
    """Return the most streams: the number of threads of torch in the calling thread."""
    return torch.get_num_threads()


def map_in_streams(
    make: Callable[[_Input], _Output], inputs: Sequence[_Input]
) -> list[_Output]:
    """Return the result of ``make`` for each input, several at a time.

    A single input is computed by the calling thread, with all its threads of torch.

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
    n_streams = min(count_streams(), len(inputs))
    if n_streams < 2:
        return [make(one) for one in inputs]
    with _start_streams(n_streams) as pool:
        waiting = [pool.submit(copy_context().run, make, one) for one in inputs]
        try:
            return [one.result() for one in waiting]
        finally:
            # After an error or Ctrl-C, the others need not start.
            for one in waiting:
                one.cancel()


@contextmanager
def _start_streams(n_streams: int) -> Iterator[ThreadPoolExecutor]:
    """Start threads for which torch uses one core each, and change no other thread."""
    n_threads = torch.get_num_threads()
    all_started = Barrier(n_streams + 1)

    def start() -> None:
        # The first use of a thread sets its number, which must happen before.
        torch.get_num_threads()
        torch.set_num_threads(1)
        with suppress(BrokenBarrierError):
            all_started.wait()

    with ThreadPoolExecutor(n_streams, initializer=start) as pool:
        try:
            for _ in range(n_streams):
                pool.submit(int)
            all_started.wait()
        except BaseException:
            # Those that have started must not wait for the others.
            all_started.abort()
            raise
        finally:
            # Threads that start later get the last number that any thread has set.
            torch.set_num_threads(n_threads)
        yield pool
