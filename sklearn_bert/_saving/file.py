"""The container: a safetensors file whose metadata describe its tensors.

The metadata are a JSON text and its SHA-256. The text holds the dtype, the shape and
the SHA-256 of every tensor, so that every byte that matters is verified before it is
used. Files come from others: nothing in them is trusted, and nothing is unpickled.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_bert._engine.runtime.files import replace_file
from sklearn_bert.exceptions import SavedFileError

METADATA = "__metadata__"
KEYS = ("format", "sha256", "content")
NAME_OF_FORMAT = "sklearn_bert"
N_BYTES_OF_LENGTH = 8
LARGEST_HEADER = 64 * 2**20
# How safetensors calls the dtypes of NumPy. BF16 is held in integers.
DTYPES = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "BF16": "<u2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}
NAMES_OF_DTYPES = {dtype: name for name, dtype in DTYPES.items() if name != "BF16"}


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A tensor as the file holds it.

    Attributes
    ----------
    dtype : str
        The name that safetensors gives the dtype.
    array : ndarray
        Contiguous, in little-endian byte order.
    """

    dtype: str
    array: np.ndarray

    def describe(self) -> dict[str, Any]:
        """Return what the metadata say about it."""
        digest = hashlib.sha256(_bytes_of(self.array)).hexdigest()
        return {"dtype": self.dtype, "shape": [*self.array.shape], "sha256": digest}


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def write_file(
    path: Path, content: dict[str, Any], tensors: dict[str, StoredTensor]
) -> str:
    """Write a file, or replace it atomically.

    Parameters
    ----------
    path : pathlib.Path
    content : dict
        In JSON types.
    tensors : dict of str to StoredTensor

    Returns
    -------
    str
        SHA-256 of the file.
    """
    described = {name: tensor.describe() for name, tensor in tensors.items()}
    text = _dump_json({**content, "tensors": described})
    digest = hashlib.sha256(text.encode()).hexdigest()
    metadata = dict(zip(KEYS, (NAME_OF_FORMAT, digest, text), strict=True))
    # Each tensor is aligned, since larger items come first.
    ordered = sorted(tensors, key=lambda name: -tensors[name].array.itemsize)
    header: dict[str, Any] = {METADATA: metadata}
    start = 0
    for name in ordered:
        stop = start + tensors[name].array.nbytes
        place = {"data_offsets": [start, stop]}
        header[name] = {k: described[name][k] for k in ("dtype", "shape")} | place
        start = stop
    first = _dump_json(header).encode()
    first += b" " * (-len(first) % N_BYTES_OF_LENGTH)
    if len(first) > LARGEST_HEADER:
        raise SavedFileError(
            f"The parameters and attributes of an estimator must take at most "
            f"{LARGEST_HEADER} bytes besides its arrays. Got {len(first)}. Save it "
            "with joblib."
        )
    pieces: list[bytes | memoryview] = [
        len(first).to_bytes(N_BYTES_OF_LENGTH, "little"),
        first,
        *(_bytes_of(tensors[name].array) for name in ordered),
    ]
    hashed = hashlib.sha256()

    def write(part: Path) -> None:
        with open(part, "xb") as file:
            for piece in pieces:
                hashed.update(piece)
                file.write(piece)

    replace_file(path, write)
    return hashed.hexdigest()


def _dump_json(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), allow_nan=False)
