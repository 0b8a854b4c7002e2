"""What is known of the model that training started from."""

import shutil

import pytest
from huggingface_hub import constants

from sklearn_bert._engine.checkpoints.files import bundle as bundle_module
from sklearn_bert._engine.checkpoints.record import CheckpointRecord
from sklearn_bert._engine.export.base_model import (
    describe_base,
    last_component,
    read_license,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CARD = "---\nlicense: mit\n---\n# Base\n"


def record(model, source, commit=None):
    return CheckpointRecord(str(model), None, commit, source, {}, is_complete=True)


def test_of_a_folder_only_the_name_is_told(tmp_path):
    folder = tmp_path / "my-bert"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    base = describe_base(record(folder, "directory"))
    assert (base.name, base.is_on_hub, base.commit) == ("my-bert", False, None)
    assert base.license == {"license": "mit"}


def test_a_folder_that_is_gone_has_no_license(tmp_path):
    base = describe_base(record(tmp_path / "gone", "directory"))
    assert (base.name, base.license) == ("gone", {})


@pytest.mark.parametrize("source", ["cache", "hub"])
def test_the_license_of_a_snapshot_is_that_of_its_commit(tmp_path, monkeypatch, source):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--owner--name" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    assert describe_base(record("owner/name", source, COMMIT)).license == {}
    (snapshot / "README.md").write_text(CARD)
    base = describe_base(record("owner/name", source, COMMIT))
    assert (base.name, base.is_on_hub, base.commit) == ("owner/name", True, COMMIT)
    assert base.license == {"license": "mit"}
    other = describe_base(record("owner/name", source, COMMIT[::-1]))
    assert other.license == {}


def test_the_bundle_states_its_license(tmp_path, monkeypatch):
    (tmp_path / "README.md").write_text(CARD)
    monkeypatch.setattr(bundle_module, "_bundle_folder", lambda bundle: tmp_path)
    name = "sentence-transformers/all-MiniLM-L6-v2"
    assert describe_base(record(name, "bundle", COMMIT)).license == {"license": "mit"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/srv/models/my-bert", "my-bert"),
        ("/srv/models/my-bert//", "my-bert"),
        ("my-bert", "my-bert"),
        (r"C:\models\my-bert", "my-bert"),
        ("..", ""),
        (".", ""),
        ("~", ""),
        ("/", ""),
    ],
)
def test_the_last_component_of_a_path_is_its_name(path, name):
    assert last_component(path) == name


def test_a_license_of_its_own_has_a_name_and_a_link(tmp_path):
    stated = {
        "license": "other",
        "license_name": "gemma",
        "license_link": "https://ai.google.dev/gemma/terms",
    }
    lines = [f"{key}: {value}" for key, value in stated.items()]
    (tmp_path / "README.md").write_text("\n".join(["---", *lines, "---", ""]))
    assert read_license(tmp_path) == stated


@pytest.mark.parametrize(
    "line",
    [
        "license: [mit, apache-2.0]",
        "license: 3",
        "license:",
        'license: "a\\nb"',
        f"license: {'x' * 300}",
        "license: https://example.com",
        "license_link: LICENSE",
        "other: mit",
    ],
    ids=lambda line: line[:30],
)
def test_what_cannot_be_repeated_is_no_license(tmp_path, line):
    (tmp_path / "README.md").write_text(f"---\n{line}\n---\n")
    assert read_license(tmp_path) == {}


def test_a_card_that_is_no_file_of_the_folder_is_not_read(tmp_path):
    outside = tmp_path / "outside.md"
    outside.write_text(CARD)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "README.md").symlink_to(outside)
    assert read_license(folder) == {}
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    assert read_license(folder) == {}


def test_a_card_in_another_encoding_is_read(tmp_path):
    (tmp_path / "README.md").write_bytes(b"---\nlicense: mit\n---\n\xff\xfe")
    assert read_license(shutil.copytree(tmp_path, tmp_path / "copy")) == {
        "license": "mit"
    }
