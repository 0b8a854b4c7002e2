"""Give memory back that nobody uses any more."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

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


@contextmanager
def needs_memory(what: str, device: torch.device) -> Iterator[None]:
    """Say what it was that does not fit into the memory of a device.

    Raises
    ------
    DeviceMemoryError
        Instead of torch's own.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        cause = str(error).splitlines()[0]
        release_memory(device)
        raise DeviceMemoryError(
            f"{what} does not fit into the memory of device {str(device)!r} ({cause}). "
            "Take a smaller model, freeze some layers (freeze=...) if it is to be "
            "trained, free the device's memory, or set device='cpu'."
        ) from None
