"""Protection of forked child processes against deadlocks.

A forked child has only the thread that forked, but inherits all locks and thread pools
of its parent. Waiting for a thread that no longer exists never ends. In a child, torch
and the tokenizers library are therefore limited to one thread, also for other code, and
all locks of this package are free. A process that has not computed or tokenized with
this package forks as if it were not imported.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import torch

from sklearn_bert._engine.runtime.workers import limit_tokenizer_threads

_PARALLELISM = "TOKENIZERS_PARALLELISM"
_has_computed = False
_has_tokenized = False
_is_forked = False
_is_set_by_us = False


class ForkSafeLock:
    """A lock that is free in a forked child, even if it is held in the parent.

    Parameters
    ----------
    make : callable
        threading.RLock, or threading.Lock.
    delays_forks : bool
        Whether a fork waits until no other thread holds the lock, since the child could
        not use what the lock protects in the middle of a change.

    Attributes
    ----------
    current : lock
        The lock of this process. Look it up each time that it is acquired.
    """

    def __init__(
        self,
        make: Callable[[], Any] = threading.RLock,
        *,
        delays_forks: bool = False,
    ) -> None:
        self.make = make
        self.delays_forks = delays_forks
        self.current = make()
        _LOCKS.add(self)


_LOCKS: WeakSet[ForkSafeLock] = WeakSet()
# A fork in another thread could mistake the variable that is set here for the user's.
_ENVIRONMENT = ForkSafeLock(delays_forks=True)
# What the thread that forks holds.
_held: list[Any] = []
_IN_CHILD: list[Callable[[], None]] = []


def call_in_child(function: Callable[[], None]) -> None:
    """Let a forked child call a function before anything else."""
    _IN_CHILD.append(function)


def prepare_threads() -> None:
    """Make torch safe to use in this process; called before any work with it."""
    global _has_computed
    _has_computed = True
    if _is_forked:
        torch.set_num_threads(1)


@contextmanager
def tokenizer_threads() -> Iterator[None]:
    """Make the tokenizers library safe to use on many texts in this process.

    In a forked child, this overrides TOKENIZERS_PARALLELISM=true set by the user.
    """
    global _has_tokenized
    _has_tokenized = True
    limit_tokenizer_threads()
    value = os.environ.get(_PARALLELISM, "false")
    if not _is_forked or value == "false":
        yield
        return
    with _ENVIRONMENT.current:
        os.environ[_PARALLELISM] = "false"
        try:
            yield
        finally:
            os.environ[_PARALLELISM] = value


def _before_fork() -> None:
    global _held, _is_set_by_us
    held = [lock.current for lock in list(_LOCKS) if lock.delays_forks]
    for lock in held:
        lock.acquire()
    _held = held
    _is_set_by_us = _has_tokenized and _PARALLELISM not in os.environ
    if _is_set_by_us:
        # The library would turn off its threads in the child anyway, but also print
        # advice. The child keeps the variable, the only way to avoid this.
        os.environ[_PARALLELISM] = "false"


def _after_fork_in_parent() -> None:
    if _is_set_by_us:
        os.environ.pop(_PARALLELISM, None)
    for lock in _held:
        lock.release()


def _after_fork_in_child() -> None:
    global _is_forked
    _is_forked = True
    for lock in list(_LOCKS):
        lock.current = lock.make()
    for function in _IN_CHILD:
        function()
    if _has_computed:
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
