"""Strict reading of the container that :mod:`sklearn_bert._saving.file` writes.

Files come from others: nothing in them is trusted, and nothing is unpickled.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sklearn_bert._saving.file import (
    DTYPES,
    KEYS,
    LARGEST_HEADER,
    METADATA,
    N_BYTES_OF_LENGTH,
    NAME_OF_FORMAT,
    StoredTensor,
)
from sklearn_bert.exceptions import SavedFileError

_PICKLES = {
    "a pickle": (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    "a compressed file, such as joblib and pickle write": (
        b"\x1f\x8b",
        b"\x78\x01",
        b"\x78\x5e",
        b"\x78\x9c",
        b"\x78\xda",
        b"BZh",
        b"\xfd7zXZ",
        b"\x5d\x00\x00",
        b"\x04\x22\x4d\x18",
    ),
    "a zip archive, such as torch.save and skops write": (b"PK\x03\x04",),
}


def read_file(
    path: Path, expected_sha256: str | None
) -> tuple[dict[str, Any], dict[str, StoredTensor]]:
    """Read and verify a file.

    Parameters
    ----------
    path : pathlib.Path
    expected_sha256 : str or None
        Compared with the SHA-256 of the file before anything is parsed.

    Returns
    -------
    content : dict
    tensors : dict of str to StoredTensor
        Their arrays share the memory of the file's content, which is not shared with
        anything else.

    Raises
    ------
    SavedFileError
        If the file is another one, or not a saved estimator, or damaged.
    """
    try:
        data = _read_bytes(path, has_digest=expected_sha256 is not None)
        _check_digest(path, data, expected_sha256)
        _refuse_pickles(path, data)
        return _parse(data)
    except SavedFileError:
        raise
    except _OfAnotherKind as error:
        raise SavedFileError(
            "The file must be one that the save method of an estimator wrote. Got "
            f"{str(path)!r}, which is a safetensors file of another program. If it "
            "belongs to a checkpoint, pass its folder as the model of an estimator."
        ) from error
    except _Damage as error:
        raise damaged(path, str(error)) from error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise damaged(path, f"has a header that cannot be read ({error})") from error


class _OfAnotherKind(ValueError):
    """A safetensors file that another program wrote."""


class _Damage(ValueError):
    """The message completes "The file"."""


def damaged(path: Path, what: str) -> SavedFileError:
    """Return the error about a file that is not a valid saved estimator."""
    return SavedFileError(
        f"The file must be one that the save method of an estimator wrote, unchanged. "
        f"Got {str(path)!r}, which {what}. Copy it again from its source, or save the "
        "estimator again."
    )


def _read_bytes(path: Path, *, has_digest: bool) -> bytearray:
    """Return the content of a regular file, of which nothing else has a reference."""
    if path.is_dir():
        raise SavedFileError(
            "path must be a file that the save method of an estimator wrote. Got the "
            f"folder {str(path)!r}. Pass the file, or pass the folder of a checkpoint "
            "as the model of an estimator."
        )
    if not path.is_file():
        what = "is not a regular file" if path.exists() else "does not exist"
        raise SavedFileError(
            "path must be a file that the save method of an estimator wrote. Got "
            f"{str(path)!r}, which {what}. Check the path."
        )
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            # Nothing is parsed before the digest is compared, if there is one.
            if not has_digest:
                _check_size(path, file, size)
                file.seek(0)
            data = bytearray(size)
            n_read = file.readinto(data)
    except OSError as error:
        raise SavedFileError(
            f"path must be a file that can be read. Got {str(path)!r} "
            f"({error.strerror or error}). Check its permissions."
        ) from error
    if n_read != size:
        raise damaged(path, "changed while it was read")
    return data


def _check_size(path: Path, file: BinaryIO, size: int) -> None:
    """Refuse a file that is larger than its header says, before memory is needed."""
    start = file.read(N_BYTES_OF_LENGTH + 1)
    _refuse_pickles(path, start)
    length = _length_of_header(start, size)
    file.seek(N_BYTES_OF_LENGTH)
    header = _load_json(file.read(length))
    header.pop(METADATA, None)
    end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    _check_end(end, size - N_BYTES_OF_LENGTH - length)


def _check_digest(path: Path, data: bytearray, expected: str | None) -> None:
    if expected is None:
        return
    found = hashlib.sha256(data).hexdigest()
    if found != expected.strip().lower():
        raise SavedFileError(
            f"The SHA-256 of the file must be expected_sha256. Got {found} for "
            f"{str(path)!r}, and expected_sha256={expected!r}. Do not load the file "
            "unless you know why it differs."
        )


def _refuse_pickles(path: Path, data: bytes | bytearray) -> None:
    # The length of a header may start like a pickle.
    if data.startswith(b"{", N_BYTES_OF_LENGTH):
        return
    for what, starts in _PICKLES.items():
        if data.startswith(starts):
            raise SavedFileError(
                "The file must be one that the save method of an estimator wrote. Got "
                f"{str(path)!r}, which is {what}. Such files are never loaded here, "
                "because they can run code: if you trust it, load it with the library "
                "that wrote it, and save it with the save method."
            )


def _parse(data: bytearray) -> tuple[dict[str, Any], dict[str, StoredTensor]]:
    """Return the content and the verified tensors."""
    start, length = N_BYTES_OF_LENGTH, _length_of_header(data, len(data))
    header = _load_json(data[start : start + length])
    content = _content_of(header.pop(METADATA, None))
    described = content.pop("tensors", None)
    if not isinstance(described, dict):
        raise _Damage("does not describe its tensors")
    tensors = dict(_cut(header, memoryview(data)[start + length :]))
    if {*tensors} != {*described}:
        raise _Damage("has other tensors than it describes")
    for name, tensor in tensors.items():
        if tensor.describe() != described[name]:
            raise _Damage(f"has a damaged tensor {name[:200]!r}")
    return content, tensors


def _length_of_header(start: bytes | bytearray, size: int) -> int:
    """Return the length in the first bytes of a file of some size."""
    length = int.from_bytes(start[:N_BYTES_OF_LENGTH], "little")
    if size < N_BYTES_OF_LENGTH or length > size - N_BYTES_OF_LENGTH:
        raise _Damage("is truncated, or is not a safetensors file")
    if length > LARGEST_HEADER:
        raise _Damage(f"has a header of {length} bytes, and at most {LARGEST_HEADER}")
    return length


def _check_end(end: int, n_bytes: int) -> None:
    """Refuse bytes after the end of the last tensor."""
    if end < n_bytes:
        raise _Damage(f"has {n_bytes - end} bytes after its tensors")


def _load_json(data: bytes | bytearray) -> dict[str, Any]:
    content = json.loads(
        data.decode(),
        object_pairs_hook=_refuse_repetitions,
        parse_constant=_refuse_constant,
    )
    if not isinstance(content, dict):
        raise _Damage("has a header that is not a JSON object")
    return content


def _refuse_repetitions(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(content := dict(pairs)) < len(pairs):
        raise _Damage("has a header with a repeated key")
    return content


def _refuse_constant(name: str) -> None:
    raise _Damage(f"has a header with {name}, which JSON does not have")


def _content_of(metadata: Any) -> dict[str, Any]:
    """Return the JSON text in the metadata, which must match its digest."""
    is_ours = isinstance(metadata, dict) and metadata.get("format") == NAME_OF_FORMAT
    if not is_ours:
        raise _OfAnotherKind
    if {*metadata} != {*KEYS} or not isinstance(metadata["content"], str):
        raise _Damage("has metadata with other keys than its format has")
    text = metadata["content"].encode()
    if hashlib.sha256(text).hexdigest() != metadata["sha256"]:
        raise _Damage("has metadata that do not match their SHA-256")
    return _load_json(text)


def _cut(
    header: dict[str, Any], data: memoryview
) -> Iterator[tuple[str, StoredTensor]]:
    """Yield each tensor; together they are all of the data, without gaps."""
    place = 0
    for name in sorted(header, key=lambda name: header[name]["data_offsets"]):
        entry = header[name]
        if {*entry} != {"dtype", "shape", "data_offsets"}:
            raise _Damage(f"has an entry of other keys for the tensor {name[:200]!r}")
        dtype = np.dtype(DTYPES[entry["dtype"]])
        shape, (start, stop) = entry["shape"], entry["data_offsets"]
        is_shape = all(type(size) is int and size >= 0 for size in shape)
        if not is_shape or len(shape) > 8:
            raise _Damage(f"has a tensor {name[:200]!r} of an impossible shape")
        n_bytes = math.prod(shape) * dtype.itemsize
        if type(start) is not int or start != place or stop != start + n_bytes:
            raise _Damage(f"has a tensor {name[:200]!r} in the wrong place")
        place = stop
        if place > len(data):
            raise _Damage("is truncated")
        array = np.frombuffer(data[start:stop], dtype).reshape(shape)
        yield name, StoredTensor(entry["dtype"], array)
    _check_end(place, len(data))
