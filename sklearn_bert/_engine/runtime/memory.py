"""Release unused memory, and retry with less memory after an out-of-memory error."""

import ctypes
import errno
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import torch

from sklearn_bert.exceptions import DeviceMemoryError, SklearnBertError

# torch's allocators on a CPU and for Apple's GPUs raise a plain RuntimeError.
_MESSAGES = (
    "DefaultCPUAllocator",
    "not enough memory",
    "out of memory",
    "Cannot allocate memory",
    "bad_alloc",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error is about too little memory, whoever raised it."""
    # Errors about values may quote a text with the same words.
    if isinstance(error, SklearnBertError | ValueError | TypeError | LookupError):
        return False
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return any(message in str(error) for message in _MESSAGES)


def raise_if_out_of_memory(error: BaseException) -> None:
    """Raise an error again that tells nothing about a model, but about the memory."""
    if is_out_of_memory(error):
        raise error


def release_memory(device: torch.device) -> None:
    """Return freed memory to the device, or to the operating system.

    Tensors of varying sizes fragment the heap. On Linux the C library keeps the freed
    memory, so that a process would grow by a few hundred megabytes with each fit.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif (trim := _find_malloc_trim()) is not None:
        trim(0)


def peak_memory(device: torch.device) -> int | None:
    """Return the most bytes that this process has needed so far, if that is known.

    On a CUDA device these are what torch has allocated there, otherwise the resident
    memory of the process.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    # Not ru_maxrss, with which a new process starts at the peak of its parent.
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    return None if found is None else 1024 * int(found[1])


@cache
def _find_malloc_trim() -> Callable[[int], int] | None:
    """Return ``malloc_trim`` of glibc; None with any other C library."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


def retry_smaller(
    run: Callable[[_Piece], _Result],
    piece: _Piece,
    make_smaller: Callable[[_Piece, str], _Piece],
    *,
    device: torch.device,
    release: Callable[[], object] = lambda: None,
) -> _Result:
    """Run a function on a piece of work, or on smaller ones if memory runs out.

    Parameters
    ----------
    run : callable
    piece : object
        The argument of ``run``.
    make_smaller : callable
        Returns a piece that needs less memory. Its second argument is the message about
        the memory, for the error that it raises if no smaller piece exists.
    device : torch.device
    release : callable
        Frees the memory that a failed ``run`` still uses.

    Returns
    -------
    object
        The result of ``run``.
    """
    while True:
        try:
            return run(piece)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            # Only the message is kept, since the traceback refers to tensors.
            cause = _first_line(error)
        release()
        release_memory(device)
        piece = make_smaller(piece, cause)


def run_in_halves(
    run: Callable[[list[int]], _Result],
    rows: list[int],
    ids: Sequence[Sequence[int]],
    *,
    device: torch.device,
    remedy: str,
) -> list[_Result]:
    """Run a function on all rows, or on halves of them if memory runs out.

    Parameters
    ----------
    run : callable
        Called with some of the rows.
    rows : list of int
    ids : sequence of sequence of int
        The token ids of each row, for the error message.
    device : torch.device
    remedy : str
        How to make a single row shorter, as a capitalized clause.

    Returns
    -------
    list
        The results of ``run`` for each part, in the order of the rows.

    Raises
    ------
    DeviceMemoryError
        If a single row does not fit into the memory of the device.
    """
    waiting, results = [rows], []

    def halve(part: list[int], cause: str) -> list[int]:
        if len(part) == 1:
            what = f"A single text of {len(ids[part[0]])} tokens"
            raise device_memory_error(what, device, cause, remedy)
        half = len(part) // 2
        waiting.append(part[half:])
        return part[:half]

    while waiting:
        results.append(retry_smaller(run, waiting.pop(), halve, device=device))
    return results


def device_memory_error(
    what: str, device: torch.device, cause: str, remedies: str
) -> DeviceMemoryError:
    """Return the error about too little memory on a device.

    Parameters
    ----------
    what : str
    device : torch.device
    cause : str
        The first line of the message about the memory.
    remedies : str
        Further remedies, as a capitalized clause.
    """
    last = "free memory on the device, or set device='cpu'"
    if device.type == "cpu":
        last = "or free memory on the device"
    return DeviceMemoryError(
        f"{what} does not fit into the memory of device {str(device)!r} ({cause}). "
        f"{remedies}, {last}."
    )


def _first_line(error: BaseException) -> str:
    # The MemoryError of Python has no message.
    return next(iter(str(error).splitlines()), type(error).__name__)


class OutOfMemoryGuard:
    """A context in which errors name what does not fit into memory.

    Parameters
    ----------
    what : str
    device : torch.device
    remedies : str
        As a capitalized clause.

    Raises
    ------
    DeviceMemoryError
        Instead of the error of torch or NumPy.
    """

    def __init__(
        self,
        what: str,
        device: torch.device,
        remedies: str = "Choose a smaller model, freeze some layers (freeze=...) in "
        "training",
    ) -> None:
        self._what = what
        self._device = device
        self._remedies = remedies

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        """Replace an error about too little memory."""
        if error is None or not is_out_of_memory(error):
            return
        cause = _first_line(error)
        # The traceback refers to tensors, and the new error would keep the traceback.
        error.with_traceback(None)
        del error, traceback
        release_memory(self._device)
        what, device, remedies = self._what, self._device, self._remedies
        raise device_memory_error(what, device, cause, remedies) from None
