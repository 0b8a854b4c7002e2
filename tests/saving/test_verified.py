"""Files that are damaged, forged or of another kind are refused."""

import gzip
import hashlib
import json
import os
import pickle
import zipfile

import joblib
import numpy as np
import pytest
from safetensors.numpy import save_file

from sklearn_bert._saving.file import StoredTensor, write_file
from sklearn_bert._saving.verified import read_file
from sklearn_bert.exceptions import SavedFileError

ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    empty = StoredTensor("I64", np.zeros((0, 4), dtype=np.int64))
    write_file(path, {"a": 1}, {"x": StoredTensor("F32", ARRAY), "empty": empty})
    return path


def take_apart(path):
    """Return the header, the content in it, and the data."""
    data = path.read_bytes()
    stop = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:stop])
    return header, json.loads(header["__metadata__"]["content"]), data[stop:]


def put_together(path, header, content, data):
    """Write a file whose checksum of the content is right."""
    text = json.dumps(content)
    header["__metadata__"]["content"] = text
    header["__metadata__"]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    write(path, json.dumps(header).encode(), data)


def write(path, header, data=b""):
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


def test_it_returns_what_was_written(path):
    content, tensors = read_file(path, None)
    assert content == {"a": 1}
    assert np.array_equal(tensors["x"].array, ARRAY)
    assert tensors["empty"].array.shape == (0, 4)
    assert tensors["x"].array.flags.writeable


def test_every_flipped_byte_is_noticed(path):
    whole = path.read_bytes()
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 0x08
        path.write_bytes(data)
        with pytest.raises(SavedFileError, match="The file must be one"):
            read_file(path, None)


def test_every_truncation_is_noticed(path):
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(SavedFileError, match="The file must be one"):
            read_file(path, None)


def test_the_digest_is_compared_first(path):
    path.write_bytes(b"\x80\x04 anything")
    with pytest.raises(SavedFileError, match="must be expected_sha256"):
        read_file(path, "0" * 64)


def test_the_digest_may_have_capital_letters(path):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    read_file(path, digest.upper())


def test_a_header_of_any_length_is_read(tmp_path):
    lengths = set()
    for n in range(0, 2000, 8):
        write_file(tmp_path / "file", {"a": "b" * n}, {})
        assert read_file(tmp_path / "file", None)[0] == {"a": "b" * n}
        lengths.add((tmp_path / "file").read_bytes()[:2])
    # Pickles start like this.
    assert b"\x80\x04" in lengths


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_recognized(path, protocol):
    path.write_bytes(pickle.dumps({"a": 1}, protocol))
    with pytest.raises(SavedFileError, match=r"is a pickle\. Such files are never"):
        read_file(path, None)


@pytest.mark.parametrize("compress", [0, 3, "gzip", "bz2", "lzma", "xz"])
def test_files_of_joblib_are_recognized(path, compress):
    joblib.dump({"a": 1}, path, compress=compress)
    with pytest.raises(SavedFileError, match=r"pickle.*Such files are never"):
        read_file(path, None)


def test_archives_are_recognized(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(SavedFileError, match=r"torch\.save and skops"):
        read_file(path, None)


@pytest.mark.parametrize("content", [b"", b"text", b"\0" * 100, gzip.compress(b"")[8:]])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(SavedFileError, match="save the estimator again"):
        read_file(path, None)


def test_other_safetensors_files_are_refused(path):
    save_file({"x": ARRAY}, path, metadata={"format": "pt"})
    with pytest.raises(SavedFileError, match="safetensors file of another program"):
        read_file(path, None)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(SavedFileError, match="which does not exist"):
        read_file(tmp_path / "none", None)
    with pytest.raises(SavedFileError, match="the folder"):
        read_file(tmp_path, None)


def test_a_header_of_any_length_is_refused_before_it_is_read(path):
    path.write_bytes((2**26 + 8).to_bytes(8, "little") + bytes(2**26 + 8))
    with pytest.raises(SavedFileError, match="at most 67108864"):
        read_file(path, None)


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"[" * 100_000,
        b'{"__metadata__": {}, "__metadata__": {}}',
        b'{"x": NaN}',
        b"\xff\xff",
        b"{}",
    ],
)
def test_a_header_that_is_not_an_object_is_refused(path, header):
    write(path, header)
    with pytest.raises(SavedFileError, match="The file must be one"):
        read_file(path, None)


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "I32"},
        {"dtype": "F8_E4M3"},
        {"dtype": ["F32"]},
        {"shape": [3, 2]},
        {"shape": [-2, -3]},
        {"shape": [2.0, 3]},
        {"shape": [1] * 99},
        {"shape": "23"},
        {"data_offsets": [0, 28]},
        {"data_offsets": [-24, 0]},
        {"data_offsets": [4, 28]},
        {"data_offsets": [0]},
        {"data_offsets": None},
        {"more": 1},
    ],
)
def test_a_forged_entry_is_refused(path, change):
    header, content, data = take_apart(path)
    header["x"].update(change)
    put_together(path, header, content, data)
    with pytest.raises(SavedFileError):
        read_file(path, None)


def test_bytes_after_the_tensors_are_refused(path):
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(SavedFileError, match="4 bytes after its tensors"):
        read_file(path, None)


def test_a_tensor_that_is_not_described_is_refused(path):
    header, content, data = take_apart(path)
    del content["tensors"]["x"]
    put_together(path, header, content, data)
    with pytest.raises(SavedFileError, match="other tensors than it describes"):
        read_file(path, None)


def test_other_metadata_are_refused(path):
    header, content, data = take_apart(path)
    header["__metadata__"]["more"] = ""
    put_together(path, header, content, data)
    with pytest.raises(SavedFileError, match="other keys than its format"):
        read_file(path, None)


def test_a_file_that_is_larger_than_its_header_says_is_not_read(path):
    # Of which only the first bytes take space on the disk.
    os.truncate(path, 2**40)
    with pytest.raises(SavedFileError, match="bytes after its tensors"):
        read_file(path, None)
