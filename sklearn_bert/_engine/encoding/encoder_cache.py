"""A cache of encoders that are ready to run, shared by the whole process.

Estimators do not hold encoders. They request one from this cache each time.

* An encoder loaded from checkpoint files is kept as long as it is the last one that an
  existing estimator requested. It is kept for another ``LINGER_SECONDS``, since each
  fold of a cross-validation creates and deletes an estimator.
* An encoder made from the weights of a fitted estimator is kept as long as the weights.
* At most ``MAX_ENCODERS`` of each of these two kinds are kept on a device. The least
  recently used one is dropped, first of those that no existing estimator requested.

There is no timer. Unneeded encoders are dropped at each request, when an estimator's
weights are deleted, and whenever Python's garbage collector runs, which is after every
few hundred new objects. They remain only in a process that is idle or has disabled the
collector.
"""

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, finalize, ref

import torch

from sklearn_bert._engine.checkpoints.files.checkpoint_files import CheckpointFiles
from sklearn_bert._engine.checkpoints.source import Source
from sklearn_bert._engine.encoding.encoder import Encoder, build_encoder
from sklearn_bert._engine.runtime.fork_safety import ForkSafeLock, prepare_threads
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard, release_memory

MAX_ENCODERS = 4
LINGER_SECONDS = 10.0

_Source = TypeVar("_Source")
_Model = TypeVar("_Model")
# Files are identified by their contents, weights by object identity.
_Key = tuple[tuple[Any, ...] | ref[Any], torch.device, torch.dtype]


class EncoderCache(Generic[_Source, _Model]):
    """A cache of models that are ready to run, by source, device and dtype.

    Parameters
    ----------
    build : callable
        Returns the model for a source, a device and a dtype.
    """

    def __init__(
        self, build: Callable[[_Source, torch.device, torch.dtype], _Model]
    ) -> None:
        self._build = build
        # The least recently used model is first.
        self._models: OrderedDict[_Key, _Model] = OrderedDict()
        # Several keys only of a user with several devices.
        self._keys_of_user: WeakKeyDictionary[Any, set[_Key]] = WeakKeyDictionary()
        self._unused_since: dict[_Key, float] = {}
        self._lock = ForkSafeLock(threading.Lock)

    def get(
        self,
        source: _Source,
        device: torch.device,
        dtype: torch.dtype,
        user: Any,
        identity: tuple[Any, ...] | None = None,
        *,
        is_replica: bool = False,
    ) -> _Model:
        """Return the model of a source, and build it if necessary.

        Parameters
        ----------
        source : CheckpointFiles or object
            Only a weak reference to the weights of an estimator is kept.
        device : torch.device
        dtype : torch.dtype
        user : object
            The estimator that requests the model. It has one source at a time.
        identity : tuple or None
            Sources with the same one share a model. By default the contents of files,
            or the object that holds other weights.
        is_replica : bool
            Whether the user keeps what it has requested before, on other devices.

        Returns
        -------
        object
        """
        prepare_threads()
        key = _make_key(source, device, dtype, identity)
        # The lock is held while building, so that concurrent requests share one build.
        with self._lock.current:
            before = self._keys_of_user.get(user, set()) if is_replica else set()
            self._keys_of_user[user] = {*before, key}
            self._drop_unneeded()
            if key not in self._models:
                self._make_room(key)
                with OutOfMemoryGuard("The model", device):
                    self._models[key] = self._build(source, device, dtype)
                if isinstance(key[0], ref):
                    finalize(source, self._try_to_drop).atexit = False
                if self._on_collection not in gc.callbacks:
                    gc.callbacks.append(self._on_collection)
            self._models.move_to_end(key)
            return self._models[key]

    def find(
        self,
        source: _Source,
        device: torch.device,
        dtype: torch.dtype,
        user: Any,
        identity: tuple[Any, ...] | None = None,
    ) -> _Model | None:
        """Return the model of a source, or None if it is not there; see :meth:`get`.

        Nothing is built, and no other model is dropped for it.
        """
        key = _make_key(source, device, dtype, identity)
        with self._lock.current:
            if key not in self._models:
                return None
            self._keys_of_user[user] = {key}
            self._models.move_to_end(key)
            return self._models[key]

    def __len__(self) -> int:
        """Return the number of models in the cache."""
        return len(self._models)

    def _make_room(self, key: _Key) -> None:
        """Drop the least recently used models before another one is built.

        Those without a user are the first.
        """
        # Before, since another large model may not fit into memory.
        rivals = [
            other
            for other in self._models
            if type(other[0]) is type(key[0]) and other[1] == key[1]
        ]
        rivals.sort(key=self._used().__contains__)
        for other in rivals[: -(MAX_ENCODERS - 1)]:
            self._drop(other)

    def _used(self) -> set[_Key]:
        return set().union(*self._keys_of_user.values())

    def _drop_unneeded(self) -> None:
        used = self._used()
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
        # torch refuses this while a CUDA graph is recorded, and frees the memory later.
        with suppress(RuntimeError):
            release_memory(key[1])

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        """Drop unneeded models; called by the garbage collector."""
        if phase == "stop" and info["generation"] > 0:
            self._try_to_drop()

    def _try_to_drop(self) -> None:
        """Drop unneeded models, unless the cache is in use."""
        # Objects may be deleted in the thread that holds this lock, or in one that this
        # thread waits for. Waiting for the lock could therefore be a deadlock.
        lock = self._lock.current
        if lock.acquire(blocking=False):
            try:
                self._drop_unneeded()
            finally:
                lock.release()


def _make_key(
    source: Any,
    device: torch.device,
    dtype: torch.dtype,
    identity: tuple[Any, ...] | None,
) -> _Key:
    return identity or identity_of(source), device, dtype


def identity_of(source: Any) -> tuple[Any, ...] | ref[Any]:
    """Return what tells sources apart: the contents of files, or the object."""
    if isinstance(source, CheckpointFiles):
        return source.folder, tuple(source.digests.items())
    return ref(source)


ENCODERS: EncoderCache[Source, Encoder] = EncoderCache(build_encoder)
