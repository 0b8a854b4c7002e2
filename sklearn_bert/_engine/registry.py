"""One frozen encoder per checkpoint, device and dtype, shared by the whole process.

Estimators hold no weights: they ask here for an encoder each time they need one. The
registry knows which estimators asked and lets an encoder go a few seconds after the
last of them is gone; it waits because the folds of a cross-validation make and drop
an estimator each. It never holds more than ``MAX_ENCODERS``.
"""

import os
import threading
import weakref
from collections import OrderedDict
from typing import Any

import torch

from sklearn_bert._engine.encoders import Encoder, build_encoder
from sklearn_bert._engine.locating import CheckpointFiles
from sklearn_bert.exceptions import DeviceError

MAX_ENCODERS = 4
LINGER_SECONDS = 10.0

_Key = tuple[Any, ...]


class EncoderRegistry:
    """Encoders by checkpoint, device and dtype, and who uses them."""

    def __init__(self) -> None:
        self._encoders: OrderedDict[_Key, Encoder] = OrderedDict()
        self._users: dict[_Key, weakref.WeakSet[Any]] = {}
        self._lock = threading.RLock()

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
            As long as it lives the encoder is kept, unless others crowd it out.

        Returns
        -------
        Encoder
        """
        _refuse_cuda_after_fork(device)
        key = (files.folder, tuple(files.digests.items()), device, dtype)
        # Loading under the lock makes threads that ask at once wait for one load.
        with self._lock:
            if key not in self._encoders:
                self._encoders[key] = build_encoder(files, device, dtype)
                self._users[key] = weakref.WeakSet()
            self._encoders.move_to_end(key)
            if user not in self._users[key]:
                self._users[key].add(user)
                weakref.finalize(user, self._release_later, key).atexit = False
            while len(self._encoders) > MAX_ENCODERS:
                self._drop(next(iter(self._encoders)))
            return self._encoders[key]

    def __len__(self) -> int:
        """Return the number of encoders held."""
        return len(self._encoders)

    def _release_later(self, key: _Key) -> None:
        # Runs inside the garbage collector, on any thread: take no lock here.
        if LINGER_SECONDS <= 0:
            return self._release(key)
        timer = threading.Timer(LINGER_SECONDS, self._release, (key,))
        timer.daemon = True
        timer.start()

    def _release(self, key: _Key) -> None:
        with self._lock:
            # Iterating sees live users only; len() may still count one just gone.
            if key in self._encoders and not any(True for _ in self._users[key]):
                self._drop(key)

    def _drop(self, key: _Key) -> None:
        device = self._encoders[key].device
        del self._encoders[key], self._users[key]
        if device.type == "cuda":
            torch.cuda.empty_cache()

    def forget_locks(self) -> None:
        """Make a forked child independent of threads that exist only in its parent."""
        self._lock = threading.RLock()


ENCODERS = EncoderRegistry()


def _refuse_cuda_after_fork(device: torch.device) -> None:
    if device.type == "cuda" and torch.cuda._is_in_bad_fork():
        raise DeviceError(
            "A GPU cannot be used in a process forked from one that used it. Got "
            f"device {str(device)!r} in a forked process. Start the workers with "
            "joblib's default backend 'loky' or with multiprocessing's 'spawn', or "
            "set device='cpu'."
        )


# A forked child inherits the locks of thread pools whose threads it does not have:
# torch's would hang at the first product, the tokenizers' at the first text. One
# thread needs no pool. Naming TOKENIZERS_PARALLELISM across the fork keeps the
# tokenizers from printing their advice about it.
_PARALLELISM = "TOKENIZERS_PARALLELISM"
_named_by_us = False


def _before_fork() -> None:
    global _named_by_us
    _named_by_us = len(ENCODERS) > 0 and _PARALLELISM not in os.environ
    if _named_by_us:
        os.environ[_PARALLELISM] = "true"


def _after_fork_in_parent() -> None:
    if _named_by_us:
        os.environ.pop(_PARALLELISM, None)


def _after_fork_in_child() -> None:
    ENCODERS.forget_locks()
    if len(ENCODERS):
        os.environ[_PARALLELISM] = "false"
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
