"""Prefetching in a background thread."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")


def prefetch(
    make: Callable[[_Input], _Output], inputs: Iterable[_Input]
) -> Iterator[_Output]:
    """Yield the result of ``make`` for each input, computing one result ahead.

    Parameters
    ----------
    make : callable
        Called in a background thread.
    inputs : iterable

    Yields
    ------
    object
    """
    waiting: Future[_Output] | None = None
    with ThreadPoolExecutor(max_workers=1) as pool_of_one:
        for one in inputs:
            try:
                # The thread has the configuration of the caller.
                upcoming = pool_of_one.submit(copy_context().run, make, one)
            except RuntimeError:
                # No thread can start, which is so at the end of the process.
                upcoming = Future()
                upcoming.set_result(make(one))
            if waiting is not None:
                yield waiting.result()
            waiting = upcoming
        if waiting is not None:
            yield waiting.result()
