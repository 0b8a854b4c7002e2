"""One thread for each of several devices, which compute at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")


def map_in_threads(
    make: Callable[[_Input], _Output], inputs: Sequence[_Input]
) -> list[_Output]:
    """Return the result of ``make`` for each input, all at the same time.

    Unlike in :mod:`~sklearn_bert._engine.runtime.streams`, the threads do not divide
    the cores: each waits for a device of its own.

    Parameters
    ----------
    make : callable
        Called with the configuration of the caller, for several inputs in threads.
    inputs : sequence

    Returns
    -------
    list
        In the order of the inputs.
    """
    if len(inputs) == 1:
        return [make(inputs[0])]
    with ThreadPoolExecutor(len(inputs)) as pool:
        waiting = [pool.submit(copy_context().run, make, one) for one in inputs]
        return [one.result() for one in waiting]
