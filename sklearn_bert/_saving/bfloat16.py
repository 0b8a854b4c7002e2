"""Weights in bfloat16, which NumPy does not have, as the upper halves of float32."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True, eq=False)
class Halved:
    """An array rounded to bfloat16.

    Attributes
    ----------
    codes : ndarray of uint16
    dtype : str
        The dtype of the array, to which it is converted back.
    """

    codes: np.ndarray
    dtype: str


def halve_all(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray | Halved]:
    """Round arrays of floats; others are returned as they are."""
    return {
        name: _halve(array) if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }


def _halve(array: np.ndarray) -> Halved:
    # A copy, since the array may be a read-only memory map.
    rounded = torch.tensor(array).to(torch.bfloat16).view(torch.int16)
    return Halved(rounded.numpy().view(np.uint16), array.dtype.str)


def widen_all(arrays: Mapping[str, np.ndarray | Halved]) -> dict[str, np.ndarray]:
    """Return the rounded values in their dtypes; other arrays as they are."""
    return {
        name: widen(array) if isinstance(array, Halved) else array
        for name, array in arrays.items()
    }


def widen(halved: Halved) -> np.ndarray:
    """Return the rounded values in their dtype."""
    wide = halved.codes.astype(np.uint32) << 16
    return wide.view(np.float32).astype(halved.dtype)
