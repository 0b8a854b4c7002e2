"""One frozen encoder per checkpoint, device and dtype, shared by the whole process.

Estimators hold no weights: they ask here for an encoder each time they need one. The
registry knows which estimators asked, and lets an encoder go ``LINGER_SECONDS`` after
the last of them is gone or has turned to another; it waits because the folds of a
cross-validation make and drop an estimator each. It never holds more than
``MAX_ENCODERS``.
"""

import atexit
import os
import threading
import time
import weakref
from collections import OrderedDict
from queue import SimpleQueue
from typing import Any

import torch

from sklearn_bert._engine.checkpoints.locate import CheckpointFiles
from sklearn_bert._engine.encoding.encoder import Encoder, build_encoder
from sklearn_bert._engine.runtime.fork_safety import prepare_threads
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard

MAX_ENCODERS = 4
LINGER_SECONDS = 10.0

_Key = tuple[Any, ...]


class SharedEncoders:
    """Encoders by checkpoint, device and dtype, and who uses them."""

    def __init__(self) -> None:
        self._encoders: OrderedDict[_Key, Encoder] = OrderedDict()
        self._users: dict[_Key, weakref.WeakSet[Any]] = {}
        self._last_gone: dict[_Key, float] = {}
        self._lock = threading.RLock()
        self._gone: SimpleQueue[tuple[_Key, float]] = SimpleQueue()
        self._janitor: threading.Thread | None = None
        self._closing = threading.Event()

    def acquire(
        self,
        files: CheckpointFiles,
        device: torch.device,
        dtype: torch.dtype,
        user: Any,
    ) -> Encoder:
        """Return the encoder, loading it if need be, and note who uses it.

        Parameters
        ----------
        files : CheckpointFiles
        device : torch.device
        dtype : torch.dtype
        user : object
            Until it is gone, or asks for another encoder, this one is kept, unless
            others crowd it out.

        Returns
        -------
        Encoder
        """
        prepare_threads()
        key = (files.folder, tuple(files.digests.items()), device, dtype)
        # Loading under the lock makes threads that ask at once wait for one load.
        with self._lock:
            if key not in self._encoders:
                # Room first: two large models at once may not fit.
                while len(self._encoders) >= MAX_ENCODERS:
                    self._drop(next(iter(self._encoders)))
                with OutOfMemoryGuard("The model", device):
                    self._encoders[key] = build_encoder(files, device, dtype)
                self._users[key] = weakref.WeakSet()
            self._encoders.move_to_end(key)
            self._register(user, key)
            self._keep_janitor()
            return self._encoders[key]

    def __len__(self) -> int:
        """Return the number of encoders held."""
        return len(self._encoders)

    def _register(self, user: Any, key: _Key) -> None:
        """Note that ``user`` uses the encoder ``key`` and, from now on, no other."""
        if user in self._users[key]:
            return
        for other, users in self._users.items():
            if user in users:
                users.discard(user)
                self._note_gone(other)
        self._users[key].add(user)
        weakref.finalize(user, self._note_gone, key).atexit = False

    def _note_gone(self, key: _Key) -> None:
        # Runs inside the garbage collector, on any thread and under any lock, where
        # nothing is safe but a dictionary's item and this queue's put.
        gone_at = self._last_gone[key] = time.monotonic()
        self._gone.put((key, gone_at))

    def _release_unused(self) -> None:
        """Let go of encoders whose last user has been gone for a while; a thread."""
        while True:
            key, gone_at = self._gone.get()
            wait = gone_at + LINGER_SECONDS - time.monotonic()
            if self._closing.wait(max(wait, 0.0)):
                return
            with self._lock:
                is_last = gone_at >= self._last_gone.get(key, gone_at)
                # Iterating sees live users only; len() may still count one just gone.
                is_used = any(True for _ in self._users.get(key, ()))
                if is_last and not is_used and key in self._encoders:
                    self._drop(key)
                if not self._encoders:
                    self._janitor = None
                    return

    def _keep_janitor(self) -> None:
        if self._janitor is None:
            self._janitor = threading.Thread(
                target=self._release_unused, name="sklearn_bert-release", daemon=True
            )
            self._janitor.start()
            atexit.register(self.close)

    def _drop(self, key: _Key) -> None:
        device = self._encoders[key].device
        del self._encoders[key], self._users[key]
        self._last_gone.pop(key, None)
        if device.type == "cuda":
            torch.cuda.empty_cache()

    def close(self) -> None:
        """End the thread: freeing tensors while Python ends would abort the process."""
        self._closing.set()
        self._gone.put(((), 0.0))
        if self._janitor is not None:
            self._janitor.join(timeout=5)

    def forget_threads(self) -> None:
        """Start anew: a forked child has its parent's locks but not its threads."""
        self._lock = threading.RLock()
        self._gone = SimpleQueue()
        self._janitor = None
        self._closing = threading.Event()


SHARED_ENCODERS = SharedEncoders()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SHARED_ENCODERS.forget_threads)
