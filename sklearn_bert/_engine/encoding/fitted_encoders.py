"""Fine-tuned and pre-trained models, made ready to run when they are first asked for.

An estimator holds its model as arrays, which can be pickled anywhere. What runs is made
of them here, once for each device and number format, and goes when they go, or when
others crowd it out.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, ref

import torch

from sklearn_bert._engine.checkpoints.packed import PackedCheckpoint, unpack
from sklearn_bert._engine.encoding.backend_choice import choose_backend
from sklearn_bert._engine.encoding.encoder import Encoder
from sklearn_bert._engine.encoding.shared_encoders import MAX_ENCODERS
from sklearn_bert._engine.runtime.fork_safety import prepare_threads
from sklearn_bert._engine.runtime.memory import OutOfMemoryGuard, release_memory

_Key = tuple[torch.device, torch.dtype]
_Packed = TypeVar("_Packed")
_Ready = TypeVar("_Ready")


class FittedModels(Generic[_Packed, _Ready]):
    """What runs, by the arrays that it was made of.

    Parameters
    ----------
    make : callable
        Makes what runs of the arrays, for a device and a number format.
    """

    def __init__(
        self, make: Callable[[_Packed, torch.device, torch.dtype], _Ready]
    ) -> None:
        self._make = make
        self._models: WeakKeyDictionary[_Packed, dict[_Key, _Ready]]
        self._models = WeakKeyDictionary()
        # The least recently used first. The arrays are not kept alive by it.
        self._order: OrderedDict[tuple[ref[_Packed], _Key], None]
        self._order = OrderedDict()
        self.renew_lock()

    def renew_lock(self) -> None:
        """Start anew in a forked child, where the lock may be held by nobody."""
        self._lock = threading.Lock()

    def get(self, packed: _Packed, device: torch.device, dtype: torch.dtype) -> _Ready:
        """Return what has the packed weights, ready to run.

        Parameters
        ----------
        packed : object
        device : torch.device
        dtype : torch.dtype

        Returns
        -------
        object
        """
        prepare_threads()
        key = (device, dtype)
        with self._lock:
            ready = self._models.setdefault(packed, {})
            if key not in ready:
                self._make_room()
                with OutOfMemoryGuard("The model", device):
                    ready[key] = self._make(packed, device, dtype)
            self._order[ref(packed), key] = None
            self._order.move_to_end((ref(packed), key))
            return ready[key]

    def __len__(self) -> int:
        """Return the number of models held."""
        return sum(map(len, list(self._models.values())))

    def _make_room(self) -> None:
        """Forget those whose arrays are gone, then drop the least recently used."""
        for entry in list(self._order):
            if entry[0]() is None:
                del self._order[entry]
        while len(self._order) >= MAX_ENCODERS:
            (arrays, key), _ = self._order.popitem(last=False)
            packed = arrays()
            if packed is not None:
                del self._models[packed][key]
                release_memory(key[0])


def _make_encoder(
    packed: PackedCheckpoint, device: torch.device, dtype: torch.dtype
) -> Encoder:
    checkpoint = unpack(packed)
    backend = choose_backend(checkpoint, device, dtype)
    return Encoder(
        backend, checkpoint.tokenizer, checkpoint.architecture, device, dtype
    )


FITTED_ENCODERS = FittedModels(_make_encoder)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=FITTED_ENCODERS.renew_lock)
