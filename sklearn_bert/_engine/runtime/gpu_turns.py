"""Turns of worker processes that share a GPU.

They would otherwise compete for its memory.
"""

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import parent_process
from pathlib import Path
from typing import TypeVar

import torch

from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock
from sklearn_bert._engine.runtime.locks import one_at_a_time
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard, release_memory
from sklearn_bert._engine.runtime.workers import worker_number

_Result = TypeVar("_Result")


class _Turn:
    """The turn of this process on a GPU, which all of its threads share.

    A thread that is started within a turn would otherwise wait for it forever.

    Parameters
    ----------
    name : str
        Of the lock between processes.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._n_users = 0
        self._held = ExitStack()
        # Held while a thread waits for other processes, since all threads have to.
        self._lock = ForkSafeLock(threading.Lock)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for the turn, unless a thread of this process has it."""
        with self._lock.current:
            if self._n_users == 0:
                # Without a folder for temporary files, nobody waits.
                with suppress(OSError):
                    path = Path(tempfile.gettempdir(), self._name)
                    self._held.enter_context(one_at_a_time(path))
            self._n_users += 1
        try:
            yield
        finally:
            with self._lock.current:
                self._n_users -= 1
                if self._n_users == 0:
                    self._held.close()


_TURNS: dict[str, _Turn] = {}


@contextmanager
def take_turn(device: torch.device) -> Iterator[None]:
    """Wait until no other worker of the same process uses a GPU.

    A turn that is taken within another one on the same GPU does not wait.

    Parameters
    ----------
    device : torch.device
    """
    if device.type != "cuda" or worker_number() is None:
        yield
        return
    parent = parent_process()
    name = f"sklearn_bert-gpu-{parent.pid if parent else 0}-{_identify(device)}"
    # Setting a default is atomic.
    with _TURNS.setdefault(name, _Turn(name)).take():
        yield


def run_fit(fit: Callable[[], _Result], device: torch.device, remedies: str) -> _Result:
    """Call a function that fits, in a turn, and release the memory that it has used.

    Parameters
    ----------
    fit : callable
    device : torch.device
    remedies : str
        As for :class:`~sklearn_bert._engine.runtime.memory.OutOfMemoryGuard`.

    Returns
    -------
    object
        The result of ``fit``.
    """
    # A function, since a context made of a generator would keep the traceback of an
    # error about memory, and with it tensors.
    with take_turn(device), OutOfMemoryGuard("The fit", device, remedies):
        result = fit()
        # Other fits can then use the memory of the gradients and moments.
        release_memory(device)
        return result


def _identify(device: torch.device) -> str:
    """Return what tells a GPU apart from the others of the machine."""
    try:
        properties = torch.cuda.get_device_properties(device)
    except (AssertionError, RuntimeError):
        # Without CUDA, or in a forked child, which cannot use it.
        return str(device.index)
    # Its number depends on CUDA_VISIBLE_DEVICES.
    return str(getattr(properties, "uuid", device.index))
