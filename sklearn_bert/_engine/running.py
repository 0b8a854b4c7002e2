"""Fine-tuned encoders, made ready to run when they are first asked for.

An estimator holds its encoder as arrays, which can be pickled anywhere. What runs is
made of them here, once for each device and number format. It goes when they go, or when
``MAX_ENCODERS`` others have been used since.
"""

import os
import threading
from collections import OrderedDict
from weakref import WeakKeyDictionary, ref

import torch

from sklearn_bert._engine.checkpoints import PackedCheckpoint, unpack
from sklearn_bert._engine.encoders import Encoder, choose_path
from sklearn_bert._engine.forking import prepare_threads
from sklearn_bert._engine.memory import NeedsMemory, release_memory
from sklearn_bert._engine.registry import MAX_ENCODERS

_Key = tuple[torch.device, torch.dtype]


class RunningEncoders:
    """What runs, by the arrays that it was made of."""

    def __init__(self) -> None:
        self._encoders: WeakKeyDictionary[PackedCheckpoint, dict[_Key, Encoder]]
        self._encoders = WeakKeyDictionary()
        # The least recently used first. The arrays are not kept alive by it.
        self._order: OrderedDict[tuple[ref[PackedCheckpoint], _Key], None]
        self._order = OrderedDict()
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
        key = (device, dtype)
        with self._lock:
            ready = self._encoders.setdefault(packed, {})
            if key not in ready:
                self._make_room()
                with NeedsMemory("The model", device):
                    ready[key] = _make_encoder(packed, device, dtype)
            self._order[ref(packed), key] = None
            self._order.move_to_end((ref(packed), key))
            return ready[key]

    def __len__(self) -> int:
        """Return the number of encoders held."""
        return sum(map(len, list(self._encoders.values())))

    def _make_room(self) -> None:
        """Forget those whose arrays are gone, then drop the least recently used."""
        for entry in list(self._order):
            if entry[0]() is None:
                del self._order[entry]
        while len(self._order) >= MAX_ENCODERS:
            (arrays, key), _ = self._order.popitem(last=False)
            packed = arrays()
            if packed is not None:
                del self._encoders[packed][key]
                release_memory(key[0])


def _make_encoder(
    packed: PackedCheckpoint, device: torch.device, dtype: torch.dtype
) -> Encoder:
    checkpoint = unpack(packed)
    path = choose_path(checkpoint, device, dtype)
    return Encoder(path, checkpoint.tokenizer, checkpoint.architecture, device, dtype)


RUNNING = RunningEncoders()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RUNNING.renew_lock)
