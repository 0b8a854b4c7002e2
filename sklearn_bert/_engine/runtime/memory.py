"""Give unused memory back, and retry with less of it where it is short."""

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

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
    """Run something on a piece of work, in ever smaller parts if memory is short.

    Parameters
    ----------
    run : callable
    piece : object
        What ``run`` is given.
    make_smaller : callable
        Returns a piece that takes less memory than the one it is given. Its second
        argument is torch's own message, for the error if there is no smaller one.
    device : torch.device
    release : callable
        Drops what a ``run`` that failed has left behind.

    Returns
    -------
    object
        What ``run`` returns.
    """
    while True:
        try:
            return run(piece)
        except torch.OutOfMemoryError as error:
            # Only the message leaves this block: the traceback holds the tensors.
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
    """Run something on all rows at once, or on halves of them if memory is short.

    Parameters
    ----------
    run : callable
        Is given some of the rows.
    rows : list of int
    ids : sequence of sequence of int
        The token ids of each row, which the error about a single one counts.
    device : torch.device
    remedy : str
        What makes a single row shorter, from a capital letter on.

    Returns
    -------
    list
        What ``run`` returned for each part, in the order of the rows.

    Raises
    ------
    DeviceMemoryError
        If a single row does not fit into the device's memory.
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
    """Return the error about what does not fit into a device's memory.

    Parameters
    ----------
    what : str
    device : torch.device
    cause : str
        The first line of torch's own message.
    remedies : str
        What may help besides free memory and the CPU, from a capital letter on.
    """
    return DeviceMemoryError(
        f"{what} does not fit into the memory of device {str(device)!r} ({cause}). "
        f"{remedies}, free the device's memory, or set device='cpu'."
    )


def _first_line(error: torch.OutOfMemoryError) -> str:
    return str(error).splitlines()[0]


class OutOfMemoryGuard:
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
        cause = _first_line(error)
        # The traceback holds tensors, and the new error would hold the traceback.
        error.with_traceback(None)
        del error, traceback
        release_memory(self._device)
        raise device_memory_error(
            self._what,
            self._device,
            cause,
            "Take a smaller model, freeze some layers (freeze=...) if it is to be "
            "trained",
        ) from None
