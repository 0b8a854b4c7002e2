"""Give memory back that nobody uses any more."""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from sklearn_bert.exceptions import DeviceMemoryError


def release_memory(device: torch.device) -> None:
    """Give freed memory back to the device, or to the system.

    Tensors of ever-changing sizes leave holes. On Linux the C library keeps them for
    itself, so that a process would grow from fit to fit by some hundred megabytes.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif (trim := _find_malloc_trim()) is not None:
        trim(0)


@cache
def _find_malloc_trim() -> Callable[[int], int] | None:
    """Return glibc's function, None where the C library is another one."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


class NeedsMemory:
    """A context that says what it was that does not fit into a device's memory.

    Parameters
    ----------
    what : str
    device : torch.device

    Raises
    ------
    DeviceMemoryError
        Instead of torch's own.
    """

    def __init__(self, what: str, device: torch.device) -> None:
        self._what = what
        self._device = device

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        """Replace an error of torch's about memory."""
        if not isinstance(error, torch.OutOfMemoryError):
            return
        cause = str(error).splitlines()[0]
        # The traceback holds tensors, and the new error would hold the traceback.
        error.with_traceback(None)
        del error, traceback
        release_memory(self._device)
        raise DeviceMemoryError(
            f"{self._what} does not fit into the memory of device "
            f"{str(self._device)!r} ({cause}). Take a smaller model, freeze some "
            "layers (freeze=...) if it is to be trained, free the device's memory, or "
            "set device='cpu'."
        ) from None
