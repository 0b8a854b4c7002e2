"""Which device and which dtype a computation uses. Pure functions."""

import platform
from functools import cache
from pathlib import Path
from typing import Any

import torch

from sklearn_bert._engine.compat.torch_private import (
    has_amx,
    has_avx512_bf16,
    is_forked_from_cuda,
)
from sklearn_bert.exceptions import DeviceError

DTYPES = {
    "float32": torch.float32,
    "float64": torch.float64,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def resolve_device(device: str) -> torch.device:
    """Return the torch device that ``device`` names.

    Parameters
    ----------
    device : str
        "auto" takes CUDA, then MPS, then the CPU. Anything else is a torch device
        string.

    Returns
    -------
    torch.device

    Raises
    ------
    DeviceError
        If torch does not know the device or this machine does not have it.
    """
    if device == "auto":
        if torch.cuda.is_available():
            _refuse_cuda_after_fork(device)
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        raise DeviceError(
            f"device must be 'auto' or a torch device such as 'cpu', 'cuda', 'cuda:1' "
            f"or 'mps'. Got {device!r}. Set device='auto' to use the best one here."
        ) from None
    if resolved.type == "cpu":
        # "cpu:0" and "cpu" are one place.
        return torch.device("cpu")
    _check_present(resolved)
    if resolved.type == "cuda" and resolved.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return resolved


def _refuse_cuda_after_fork(device: str) -> None:
    if is_forked_from_cuda():
        raise DeviceError(
            "A GPU cannot be used in a process forked from one that used it. Got "
            f"device={device!r} in a forked process. Start the workers with joblib's "
            "default backend 'loky' or with multiprocessing's 'spawn', or set "
            "device='cpu'."
        )


def _check_present(device: torch.device) -> None:
    n_devices = {
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }.get(device.type, 0)
    if (device.index or 0) >= n_devices:
        raise DeviceError(
            f"device must exist on this machine. Got {str(device)!r}, but torch sees "
            f"{n_devices} {device.type} device(s). Set device='auto' to use the best "
            "one here, or install a build of torch for your hardware."
        )
    if device.type == "cuda":
        _refuse_cuda_after_fork(str(device))


def has_native_bfloat16(device: torch.device) -> bool:
    """Tell whether ``device`` multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return has_avx512_bf16() or has_amx()
    return False


def resolve_encoding_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """Return the dtype in which a frozen encoder runs.

    Parameters
    ----------
    dtype : str
        "auto" takes bfloat16 on a CUDA device that multiplies it in hardware and
        float32 everywhere else: rounding to bfloat16 moves features by about a
        hundredth of their length, worth it only where the gain in speed is large.
    device : torch.device

    Returns
    -------
    torch.dtype

    Raises
    ------
    DeviceError
        If the device has no hardware for the dtype.
    """
    if dtype == "auto":
        fast = device.type == "cuda" and has_native_bfloat16(device)
        return torch.bfloat16 if fast else torch.float32
    resolved = DTYPES[dtype]
    is_supported = {
        torch.float32: lambda: True,
        torch.float64: lambda: device.type != "mps",
        torch.float16: lambda: device.type != "cpu",
        torch.bfloat16: lambda: has_native_bfloat16(device),
    }[resolved]
    if not is_supported():
        raise DeviceError(
            f"dtype must be one that the device computes in hardware. Got "
            f"dtype={dtype!r} on device {str(device)!r}, which does not have it. "
            "Set dtype='auto' or dtype='float32'."
        )
    return resolved


def resolve_training_dtypes(
    dtype: str, device: torch.device
) -> tuple[torch.dtype, torch.dtype | None]:
    """Return the dtypes of the weights and of autocast in training.

    Parameters
    ----------
    dtype : str
        "auto" and "bfloat16" keep float32 weights. "auto" multiplies in bfloat16 where
        that is faster than float32.
    device : torch.device

    Returns
    -------
    weights : torch.dtype
    autocast : torch.dtype or None
        None if the products have the dtype of the weights.

    Raises
    ------
    DeviceError
        If the device has no hardware for the dtype.
    """
    if dtype == "auto":
        return torch.float32, torch.bfloat16 if is_bfloat16_fast(device) else None
    resolved = resolve_encoding_dtype(dtype, device)
    if resolved == torch.bfloat16:
        return torch.float32, resolved
    return resolved, None


def multiply_in(device: torch.device, dtype: torch.dtype | None = None) -> Any:
    """Return the context that decides in which dtype products are computed.

    Parameters
    ----------
    device : torch.device
    dtype : torch.dtype or None
        None for the dtype of the factors, even if the caller is inside an autocast.

    Returns
    -------
    torch.autocast
    """
    # torch would keep rounded weights until the outermost context ends, perhaps that of
    # a whole training, and so use those of the first step throughout.
    return torch.autocast(
        device.type, dtype, enabled=dtype is not None, cache_enabled=False
    )


def is_bfloat16_fast(device: torch.device) -> bool:
    """Tell whether products in bfloat16 are faster than in float32.

    On a CPU they are with AMX, and with AVX512_BF16 on AMD's: Intel's have half as many
    units for it as for float32. A rule and not a measurement, so that the same machine
    always trains the same weights.
    """
    if not has_native_bfloat16(device):
        return False
    if device.type != "cpu":
        return True
    return has_amx() or "AMD" in _cpu_name()


@cache
def _cpu_name() -> str:
    """Return what the CPU calls itself, AuthenticAMD for one."""
    info = Path("/proc/cpuinfo")
    return info.read_text() if info.exists() else platform.processor()
