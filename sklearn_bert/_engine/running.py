"""Fine-tuned encoders, made ready to run when they are first asked for.

An estimator holds its encoder as arrays, which can be pickled anywhere. What runs is
made of them here, once for each device and number format, and goes when they go.
"""

import os
import threading
from weakref import WeakKeyDictionary

import torch

from sklearn_bert._engine.checkpoints import PackedCheckpoint, unpack
from sklearn_bert._engine.encoders import Encoder, choose_path
from sklearn_bert._engine.forking import prepare_threads

_Key = tuple[torch.device, torch.dtype]


class RunningEncoders:
    """What runs, by the arrays that it was made of."""

    def __init__(self) -> None:
        self._encoders: WeakKeyDictionary[PackedCheckpoint, dict[_Key, Encoder]]
        self._encoders = WeakKeyDictionary()
        self.renew_lock()

    def renew_lock(self) -> None:
        """Start anew in a forked child, where the lock may be held by nobody."""
        self._lock = threading.Lock()

    def run(
        self, packed: PackedCheckpoint, device: torch.device, dtype: torch.dtype
    ) -> Encoder:
        """Return an encoder with the packed weights, ready to run.

        Parameters
        ----------
        packed : PackedCheckpoint
        device : torch.device
        dtype : torch.dtype

        Returns
        -------
        Encoder
        """
        prepare_threads()
        with self._lock:
            ready = self._encoders.setdefault(packed, {})
            if (device, dtype) not in ready:
                checkpoint = unpack(packed)
                ready[device, dtype] = Encoder(
                    choose_path(checkpoint, device, dtype),
                    checkpoint.tokenizer,
                    checkpoint.architecture,
                    device,
                    dtype,
                )
            return ready[device, dtype]


RUNNING = RunningEncoders()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RUNNING.renew_lock)
