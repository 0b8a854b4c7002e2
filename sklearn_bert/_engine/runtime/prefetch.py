"""Make the next thing while the last one is used."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")


def prefetch(
    make: Callable[[_Input], _Output], inputs: Iterable[_Input]
) -> Iterator[_Output]:
    """Yield what ``make`` returns for each input, one by one and one ahead.

    Parameters
    ----------
    make : callable
        Called in a thread of its own, which must be worth its while.
    inputs : iterable

    Yields
    ------
    object
    """
    waiting: Future[_Output] | None = None
    with ThreadPoolExecutor(max_workers=1) as pool_of_one:
        for one in inputs:
            upcoming = pool_of_one.submit(make, one)
            if waiting is not None:
                yield waiting.result()
            waiting = upcoming
        if waiting is not None:
            yield waiting.result()
