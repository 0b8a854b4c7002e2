"""Parallel streams on a CPU: threads that share the cores, each with its own batches.

torch uses all cores for each operation, one after the other, and waits for the slowest
core each time. If another process uses one of them, most of the time is spent waiting.
Streams compute whole batches, and wait only for the last one.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import ContextVar, copy_context
from threading import Barrier, BrokenBarrierError
from typing import TypeVar

import torch

from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")

# While streams start, other threads must not use torch for the first time: they would
# keep the number of threads of a stream.
_STARTING = ForkSafeLock()
# The place of the input that is being computed among those of `Streams.map`.
INDEX: ContextVar[int] = ContextVar("index", default=0)


def count_streams() -> int:
    """Return the most streams: the number of threads of torch in the calling thread."""
    with _STARTING.current:
        return torch.get_num_threads()


def map_in_streams(
    make: Callable[[_Input], _Output], inputs: Sequence[_Input]
) -> list[_Output]:
    """Return the result of ``make`` for each input; see :meth:`Streams.map`."""
    streams = Streams(len(inputs))
    try:
        return streams.map(make, inputs)
    finally:
        streams.close()


class Streams:
    """Threads among which those of torch are divided.

    They start when they are first needed.

    Parameters
    ----------
    n_streams : int
        The most streams. There are no more than torch has threads.
    """

    def __init__(self, n_streams: int) -> None:
        self._n_streams = n_streams
        self._pool: ThreadPoolExecutor | None = None

    def map(
        self, make: Callable[[_Input], _Output], inputs: Sequence[_Input]
    ) -> list[_Output]:
        """Return the result of ``make`` for each input, several at a time.

        A single input is computed by the calling thread, with all its threads of torch.
        So are all inputs if no thread can start, which is so at the end of the process.

        Parameters
        ----------
        make : callable
            Called in other threads, with the configuration of the caller. In each call,
            ``INDEX`` is the place of the input.
        inputs : sequence

        Returns
        -------
        list
            In the order of the inputs.
        """
        waiting = self._submit(make, inputs) if len(inputs) > 1 else None
        if waiting is None:
            return [
                copy_context().run(_make, make, k, one) for k, one in enumerate(inputs)
            ]
        try:
            return [*map(Future.result, waiting)]
        finally:
            # After an error or Ctrl-C, the others need not start, and none still runs.
            for one in waiting:
                one.cancel()
            wait(waiting)
            # The traceback of an error refers to this frame, and would keep the error,
            # and with it tensors, alive.
            del one, waiting

    def close(self) -> None:
        """End the threads. A later call of :meth:`map` starts others."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _submit(
        self, make: Callable[[_Input], _Output], inputs: Sequence[_Input]
    ) -> list[Future[_Output]] | None:
        """Let streams compute all inputs; return None if there are no streams."""
        n_threads = count_streams()
        n_streams = min(n_threads, self._n_streams)
        if n_streams == 1:
            return None
        try:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(n_streams)
                _start_streams(self._pool, n_threads, n_streams)
            return [
                self._pool.submit(copy_context().run, _make, make, k, one)
                for k, one in enumerate(inputs)
            ]
        except RuntimeError:
            self.close()
            return None
        except BaseException:
            self.close()
            raise


def _make(make: Callable[[_Input], _Output], index: int, one: _Input) -> _Output:
    INDEX.set(index)
    return make(one)


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
