"""Give memory back that nobody uses any more."""

import ctypes
from collections.abc import Callable
from functools import cache

import torch


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
