"""Converts one pickle of weights to safetensors; run as a program of its own.

The restricted unpickler of torch runs no code, but has had errors that allowed it.
Therefore it runs in a child process, which has nothing to do but this, and what it
returns is checked. This file imports nothing of the package.
"""

import sys
import zipfile
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

# The exit status if memory runs out, which says nothing about the pickle.
OUT_OF_MEMORY = 3
# How torch's allocator names itself in a plain RuntimeError.
_ALLOCATOR = "DefaultCPUAllocator"
# What a compressed archive may grow to, in bytes for each byte of the file, and more.
_MOST_GROWTH = 2
_SLACK = 2**20
_DTYPES = {
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    # Counters and masks, which old models stored.
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
}


def convert(source: str, target: str, size: int) -> None:
    """Write the tensors of a pickle as safetensors.

    Parameters
    ----------
    source, target : str
        Paths of the two files.
    size : int
        The size of the pickle in bytes.

    Raises
    ------
    ValueError
        If the content is not a mapping from names to dense tensors of usual dtypes.
    pickle.UnpicklingError
        If the pickle would run code.
    """
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > _MOST_GROWTH * size + _SLACK:
            raise ValueError(f"an archive of {size} bytes that unpacks to {unpacked}")
    content = torch.load(source, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping) or not content:
        raise ValueError(f"{type(content).__name__} instead of a mapping of tensors")
    # Clones, because tensors may share memory, and safetensors refuses that.
    tensors = {
        name: _checked(name, tensor).detach().contiguous().clone()
        for name, tensor in content.items()
    }
    save_file(tensors, target, metadata={"format": "pt"})


def _checked(name: Any, tensor: Any) -> Tensor:
    if not isinstance(name, str):
        raise ValueError(f"the name {name!r}, which is not a text")
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name!r} of type {type(tensor).__name__}, not a tensor")
    is_dense = tensor.layout == torch.strided and not tensor.is_quantized
    if not is_dense or tensor.device.type != "cpu" or tensor.dtype not in _DTYPES:
        raise ValueError(f"{name!r} of {tensor.dtype} and {tensor.layout}")
    return tensor


def main() -> None:
    """Convert the file that the arguments name; an error becomes one line."""
    source, target, size = sys.argv[1:]
    try:
        convert(source, target, int(size))
    # A pickle may raise anything.
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        print(f"{type(error).__name__}: {first}"[:300], file=sys.stderr)
        is_memory = isinstance(error, MemoryError) or _ALLOCATOR in first
        sys.exit(OUT_OF_MEMORY if is_memory else 1)


if __name__ == "__main__":
    main()
