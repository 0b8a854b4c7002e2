"""Files that are not what they seem end in an error that names them, and soon."""

import json
import os
import struct

import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert.exceptions import CheckpointError

READ = ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"]


def sparse(path, size):
    path.unlink()
    path.touch()
    os.truncate(path, size)


def replace(path, make):
    path.unlink()
    make(path)


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: replace(f, lambda p: p.mkdir()), "that is not a regular file"),
        (lambda f: replace(f, os.mkfifo), "that is not a regular file"),
        (
            lambda f: replace(f, lambda p: p.symlink_to("no")),
            "a link to a missing file",
        ),
        (lambda f: replace(f, lambda p: p.symlink_to(p)), "that is a link to itself"),
        (
            lambda f: replace(f, lambda p: p.symlink_to("/dev/zero")),
            "that is not a regular file",
        ),
        (
            lambda f: f.rename(f.parents[1] / "x") and f.symlink_to(f.parents[1] / "x"),
            "that is a link to a file outside the folder",
        ),
        (lambda f: sparse(f, 2**40), f"of {2**40} bytes, and at most"),
    ],
    ids=["folder", "pipe", "dangling", "loop", "device", "outside", "terabyte"],
)
def test_other_than_a_file_of_the_folder_is_refused(own_bert, name, damage, message):
    damage(own_bert / name)
    with pytest.raises(CheckpointError, match=rf"has a {name} .*{message}"):
        locate(str(own_bert), None)


def test_the_limit_depends_on_the_kind_of_file(own_bert):
    size = 17 * 2**20
    sparse(own_bert / "tokenizer.json", size)
    assert "tokenizer.json" in locate(str(own_bert), None).digests
    sparse(own_bert / "config.json", size)
    with pytest.raises(CheckpointError, match=rf"config.json of {size} bytes"):
        locate(str(own_bert), None)


def test_links_inside_the_folder_are_followed(own_bert):
    before = locate(str(own_bert), None).digests
    (own_bert / "config.json").rename(own_bert / "other.json")
    (own_bert / "config.json").symlink_to("other.json")
    assert locate(str(own_bert), None).digests == before


def test_links_into_the_cache_of_the_hub_are_followed(own_bert, tmp_path):
    before = locate(str(own_bert), None).digests
    blobs = tmp_path / "models--owner--name" / "blobs"
    blobs.mkdir(parents=True)
    (own_bert / "config.json").rename(blobs / "abc")
    (own_bert / "config.json").symlink_to(blobs / "abc")
    assert locate(str(own_bert), None).digests == before


def header(content, size=0):
    encoded = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", size or len(encoded)) + encoded


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\1\2\3",
        bytes(100),
        header(b"{}"),
        header(b"[]"),
        header(b"[" * 200_000),
        header({"a": 1}),
        header({"a": {"data_offsets": [0]}}),
        header({"a": {"data_offsets": [0, 2**40]}}),
        header({"a": {"data_offsets": [0, 1]}}, size=2**60),
    ],
)
def test_weights_of_another_size_than_their_header_says_are_refused(own_bert, content):
    (own_bert / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="has weights that cannot be read"):
        locate(str(own_bert), None)


def test_a_sparse_file_of_weights_is_not_read(own_bert):
    sparse(own_bert / "model.safetensors", 2**35)
    with pytest.raises(CheckpointError, match="has weights that cannot be read"):
        locate(str(own_bert), None)


def test_a_change_that_keeps_size_and_time_changes_the_digest(own_bert):
    path = own_bert / "config.json"
    before, times = locate(str(own_bert), None).digests, path.stat()
    path.write_bytes(path.read_bytes().replace(b"gelu", b"relu"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert locate(str(own_bert), None).digests["config.json"] != before["config.json"]


def test_files_that_no_one_may_read_are_named(own_bert):
    if os.geteuid() == 0:
        pytest.skip("the superuser may read every file")
    (own_bert / "config.json").chmod(0)
    with pytest.raises(CheckpointError, match=r"has a config.json that cannot be read"):
        locate(str(own_bert), None)
