"""The container is a safetensors file that is written as a whole."""

import hashlib
import json
import os
import stat

import numpy as np
import pytest
from safetensors import safe_open

from sklearn_bert._saving.file import NAMES_OF_DTYPES, StoredTensor, write_file
from sklearn_bert.exceptions import SavedFileError

ARRAYS = {
    dtype: np.arange(1, 7).astype(dtype).reshape(2, 3) for dtype in NAMES_OF_DTYPES
}
TENSORS = {
    dtype: StoredTensor(NAMES_OF_DTYPES[dtype], array)
    for dtype, array in ARRAYS.items()
}


def test_safetensors_reads_it(tmp_path):
    path = tmp_path / "file"
    write_file(path, {"a": [1, None, "é"]}, TENSORS)
    with safe_open(path, "np") as file:
        metadata = file.metadata()
        assert {*file.keys()} == {*TENSORS}
        for name, array in ARRAYS.items():
            found = file.get_tensor(name)
            assert found.dtype == array.dtype
            assert np.array_equal(found, array)
    assert metadata["format"] == "sklearn_bert"
    content = json.loads(metadata["content"])
    assert content["a"] == [1, None, "é"]
    assert content["tensors"]["|b1"]["shape"] == [2, 3]


def test_it_returns_the_sha256_of_the_file(tmp_path):
    found = write_file(tmp_path / "file", {}, TENSORS)
    assert found == hashlib.sha256((tmp_path / "file").read_bytes()).hexdigest()


def test_tensors_are_aligned(tmp_path):
    path = tmp_path / "file"
    odd = {"odd": StoredTensor("U8", np.arange(3, dtype=np.uint8))}
    write_file(path, {}, {**odd, **TENSORS})
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    for name, array in ARRAYS.items():
        assert header[name]["data_offsets"][0] % array.itemsize == 0


def test_the_mode_follows_the_umask(tmp_path):
    path = tmp_path / "file"
    before = os.umask(0o027)
    try:
        write_file(path, {}, {})
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_content_that_is_too_large_is_refused(tmp_path):
    with pytest.raises(SavedFileError, match="at most 67108864 bytes"):
        write_file(tmp_path / "file", {"a": "b" * 2**26}, {})
    assert list(tmp_path.iterdir()) == []
