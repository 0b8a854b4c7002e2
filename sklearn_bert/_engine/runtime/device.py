"""Choice of the device and the dtype."""

import platform
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from sklearn_bert._engine.compat.torch_private import (
    has_amx,
    has_avx512_bf16,
    is_forked_from_cuda,
)
from sklearn_bert._engine.runtime.ranks import local_rank
from sklearn_bert._engine.runtime.workers import worker_number
from sklearn_bert.exceptions import DeviceError

DTYPES = {
    "float32": torch.float32,
    "float64": torch.float64,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def resolve_device(device: str) -> torch.device:
    """Return the torch device for the parameter ``device``.

    Parameters
    ----------
    device : str
        "auto" selects CUDA, then MPS, then the CPU; worker processes, and the ranks of
        torchrun, take the GPUs in turn. Any other value is a torch device.

    Returns
    -------
    torch.device

    Raises
    ------
    DeviceError
        If the device is unknown or not available on this machine.
    """
    if device == "auto":
        if torch.cuda.is_available():
            _refuse_cuda_after_fork(device)
            return torch.device("cuda", _choose_gpu())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        raise DeviceError(
            "device must be 'auto' or a PyTorch device such as 'cpu', 'cuda', 'cuda:1' "
            f"or 'mps'. Got {device!r}. Set device='auto' to use the best device."
        ) from None
    if resolved.type == "cpu":
        # "cpu:0" and "cpu" are the same device.
        return torch.device("cpu")
    _check_present(resolved)
    if resolved.type == "cuda" and resolved.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return resolved


def resolve_devices(device: str | Sequence[str]) -> tuple[torch.device, ...]:
    """Return the torch devices for a parameter ``device`` that may be a list.

    Parameters
    ----------
    device : str or sequence of str
        One device as in :func:`resolve_device`, or several GPUs.

    Returns
    -------
    tuple of torch.device
        At least one, and all different.

    Raises
    ------
    DeviceError
        If a device is unknown or not available on this machine, or if a list contains
        anything but different GPUs.
    """
    if isinstance(device, str):
        return (resolve_device(device),)
    if all(isinstance(one, str) and one != "auto" for one in device):
        found = tuple(map(resolve_device, device))
        if len(found) == len({*found}) and {one.type for one in found} == {"cuda"}:
            return found
    raise DeviceError(
        "device must be one device, or a list of different GPUs. Got "
        f"{device!r}. Pass a str, or each GPU once, such as ['cuda:0', 'cuda:1']."
    )


def _choose_gpu() -> int:
    selected, number = torch.cuda.current_device(), worker_number()
    if number is None:
        number = local_rank()
    # Unless it is the first one, the user has selected it with torch.cuda.set_device.
    if number is None or selected > 0:
        return selected
    return number % torch.cuda.device_count()


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
            f"device must be available on this machine. Got {str(device)!r}, but "
            f"PyTorch finds {n_devices} {device.type} device(s). Set device='auto', or "
            "install a build of PyTorch for your hardware."
        )
    if device.type == "cuda":
        _refuse_cuda_after_fork(str(device))


def has_native_bfloat16(device: torch.device) -> bool:
    """Return whether ``device`` has hardware support for bfloat16."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return has_avx512_bf16() or has_amx()
    return False


def resolve_encoding_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """Return the dtype of a frozen encoder.

    Parameters
    ----------
    dtype : str
        "auto" means bfloat16 on a CUDA device with hardware support and float32
        everywhere else: bfloat16 changes features by about one percent of their norm,
        which is only worth a large gain in speed.
    device : torch.device

    Returns
    -------
    torch.dtype

    Raises
    ------
    DeviceError
        If the hardware of the device does not support the dtype.
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
            "dtype must be supported by the hardware of the device. Got "
            f"dtype={dtype!r} on device {str(device)!r}, which does not support it. "
            "Set dtype='auto' or dtype='float32'."
        )
    return resolved


def name_of(dtype: torch.dtype) -> str:
    """Return the name of a dtype, as the parameter ``dtype`` spells it."""
    return str(dtype).removeprefix("torch.")


def resolve_training_dtypes(
    dtype: str, device: torch.device
) -> tuple[torch.dtype, torch.dtype | None]:
    """Return the dtypes of the weights and of autocast in training.

    Parameters
    ----------
    dtype : str
        "auto" and "bfloat16" keep float32 weights. "auto" computes products in bfloat16
        if that is faster than float32.
    device : torch.device

    Returns
    -------
    weights : torch.dtype
    autocast : torch.dtype or None
        None if products are computed in the dtype of the weights.

    Raises
    ------
    DeviceError
        If the hardware of the device does not support the dtype.
    """
    if dtype == "auto":
        return torch.float32, torch.bfloat16 if is_bfloat16_fast(device) else None
    resolved = resolve_encoding_dtype(dtype, device)
    if resolved == torch.bfloat16:
        return torch.float32, resolved
    return resolved, None


def multiply_in(device: torch.device, dtype: torch.dtype | None = None) -> Any:
    """Return a context that sets the dtype of matrix products.

    Parameters
    ----------
    device : torch.device
    dtype : torch.dtype or None
        If None, the dtype of the operands, even in an autocast context of the caller.

    Returns
    -------
    torch.autocast
    """
    # With its cache, torch would keep rounded weights until the outermost context ends.
    # All training steps would then use those of the first step.
    return torch.autocast(
        device.type, dtype, enabled=dtype is not None, cache_enabled=False
    )


def is_bfloat16_fast(device: torch.device) -> bool:
    """Return whether products in bfloat16 are faster than in float32.

    This is the case on CPUs with AMX, and on AMD CPUs with AVX512_BF16; Intel CPUs have
    half as many units for bfloat16 as for float32. The rule is fixed and nothing is
    measured, so that training is reproducible.
    """
    if not has_native_bfloat16(device):
        return False
    if device.type != "cpu":
        return True
    return has_amx() or "AMD" in _cpu_name()


@cache
def _cpu_name() -> str:
    """Return the description of the CPU, which contains its vendor."""
    info = Path("/proc/cpuinfo")
    return info.read_text() if info.exists() else platform.processor()
