"""Encoders that are ready to run, shared by the whole process.

Estimators hold no module that runs: they ask here each time that they need one.

* The encoder of a checkpoint's files is kept while an estimator is there that asked for
  it and for no other since, and for ``LINGER_SECONDS`` more, because the folds of a
  cross-validation make and drop an estimator each.
* The encoder of weights that a fitted estimator holds is kept as long as the weights.
* Of each of these two kinds at most ``MAX_ENCODERS`` are kept. The least recently used
  one makes room.

Nothing watches the clock. Python's garbage collector, which runs every few hundred new
objects, also drops the encoders that are no longer needed, and so does each request.
Only a process that does nothing at all, or has disabled the collector, keeps them.
"""

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, ref

import torch

from sklearn_bert._engine.checkpoints.locate import CheckpointFiles
from sklearn_bert._engine.checkpoints.source import Source
from sklearn_bert._engine.encoding.encoder import Encoder, build_encoder
from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock, prepare_threads
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard, release_memory

MAX_ENCODERS = 4
LINGER_SECONDS = 10.0

_Source = TypeVar("_Source")
_Model = TypeVar("_Model")
# Files are told apart by their contents, weights by which object they are.
_Key = tuple[tuple[Any, ...] | ref[Any], torch.device, torch.dtype]


class EncoderCache(Generic[_Source, _Model]):
    """What runs, by what it is made of, device and dtype.

    Parameters
    ----------
    build : callable
        Returns what runs, given a source, a device and a dtype.
    """

    def __init__(
        self, build: Callable[[_Source, torch.device, torch.dtype], _Model]
    ) -> None:
        self._build = build
        # The least recently used first.
        self._models: OrderedDict[_Key, _Model] = OrderedDict()
        self._key_of_user: WeakKeyDictionary[Any, _Key] = WeakKeyDictionary()
        self._unused_since: dict[_Key, float] = {}
        self._lock = ForkSafeLock(threading.Lock)

    def get(
        self, source: _Source, device: torch.device, dtype: torch.dtype, user: Any
    ) -> _Model:
        """Return what runs a source, making it if need be.

        Parameters
        ----------
        source : CheckpointFiles or object
            What an estimator holds is referred to weakly.
        device : torch.device
        dtype : torch.dtype
        user : object
            The estimator that asks. It has one source at a time.

        Returns
        -------
        object
        """
        prepare_threads()
        key: _Key = (_identity(source), device, dtype)
        # Building under the lock makes threads that ask at once wait for one build.
        with self._lock.current:
            self._key_of_user[user] = key
            self._drop_unneeded()
            if key not in self._models:
                self._make_room(key)
                with OutOfMemoryGuard("The model", device):
                    self._models[key] = self._build(source, device, dtype)
                if self._on_collection not in gc.callbacks:
                    gc.callbacks.append(self._on_collection)
            self._models.move_to_end(key)
            return self._models[key]

    def __len__(self) -> int:
        """Return the number of encoders held."""
        return len(self._models)

    def _make_room(self, key: _Key) -> None:
        """Drop the least recently used before the next one is made."""
        # First, since two large models more than allowed may not fit.
        rivals = [other for other in self._models if type(other[0]) is type(key[0])]
        for other in rivals[: -(MAX_ENCODERS - 1)]:
            self._drop(other)

    def _drop_unneeded(self) -> None:
        used = set(self._key_of_user.values())
        now = monotonic()
        for key in list(self._models):
            source = key[0]
            if isinstance(source, ref):
                is_over = source() is None
            elif key in used:
                self._unused_since.pop(key, None)
                continue
            else:
                since = self._unused_since.setdefault(key, now)
                is_over = now - since >= LINGER_SECONDS
            if is_over:
                self._drop(key)

    def _drop(self, key: _Key) -> None:
        del self._models[key]
        self._unused_since.pop(key, None)
        # Torch refuses it while a CUDA graph is recorded, and frees the memory later.
        with suppress(RuntimeError):
            release_memory(key[1])

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        """Drop what is no longer needed; called by the garbage collector."""
        # It may run at any point of a thread that holds this lock, or one that the
        # lock's owner waits for, and so must not wait.
        lock = self._lock.current
        is_young = info["generation"] == 0
        if phase == "stop" and not is_young and lock.acquire(blocking=False):
            try:
                self._drop_unneeded()
            finally:
                lock.release()


def _identity(source: Any) -> tuple[Any, ...] | ref[Any]:
    if isinstance(source, CheckpointFiles):
        return source.folder, tuple(source.digests.items())
    return ref(source)


ENCODERS: EncoderCache[Source, Encoder] = EncoderCache(build_encoder)
