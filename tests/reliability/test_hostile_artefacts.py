"""Of checkpoints and files made to do harm nothing is run, and nothing is endless."""

import os
import shutil
from pathlib import Path

import pytest

from reliability.hostile_checkpoints import IGNORED, OTHER, REFUSED
from reliability.hostile_files import FILES

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
GOLDEN = Path(__file__).parents[1] / "saving" / "golden" / "classifier-1.safetensors"
CHECKPOINTS = {**REFUSED, **IGNORED, **OTHER}
ERRORS = {"CheckpointError", "CheckpointNotFoundError", "SavedFileError"}
MOST_SECONDS = 20


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def watched(tiny_bert, save_model, root, run_module):
    """What loading each checkpoint and each file did, by name; "whole" is harmless."""
    outside = save_model(root / "outside", initializer_range=0.1)
    folders, files = [tiny_bert], [GOLDEN]
    for number, damage in enumerate(CHECKPOINTS.values()):
        place = root / f"folder-{number}"
        shutil.copytree(outside, place / "outside")
        folders.append(shutil.copytree(tiny_bert, place / "model"))
        damage(folders[-1])
    for number, damage in enumerate(FILES.values()):
        files.append(root / f"file-{number}" / "model.safetensors")
        files[-1].parent.mkdir()
        damage(files[-1], GOLDEN.read_bytes())
    settings = {"folders": list(map(str, folders)), "files": list(map(str, files))}
    temporary = root / "temporary"
    temporary.mkdir()
    # As for most users, the Hub is not switched off.
    found = run_module("watching", settings, TMPDIR=str(temporary), HF_HUB_OFFLINE="0")
    return {
        "checkpoints": dict(zip(["whole", *CHECKPOINTS], found[0], strict=True)),
        "files": dict(zip(["whole", *FILES], found[1], strict=True)),
    }


def check(name, found):
    assert found["events"] == [], name
    assert found["seconds"] < MOST_SECONDS, name


def check_refused(name, found):
    check(name, found)
    assert found["ended"] in ERRORS, (name, found)
    message = found["values"]
    assert len(message) < 2000
    # It can be printed on a terminal.
    assert all(line.isprintable() for line in message.splitlines())


@pytest.mark.parametrize("kind", ["checkpoints", "files"])
def test_whole_artefacts_are_loaded_without_a_forbidden_event(watched, kind):
    found = watched[kind]["whole"]
    check(kind, found)
    assert found["ended"] == "answer", found


@pytest.mark.usefixtures("watched")
def test_no_artefact_runs_code_or_leaves_files(root):
    assert list(root.rglob("executed")) == []
    assert list((root / "temporary").iterdir()) == []


def test_hostile_checkpoints_are_refused(watched, tally):
    for name in REFUSED:
        with tally.case("hostile checkpoint, refused"):
            check_refused(name, watched["checkpoints"][name])


def test_hostile_settings_are_ignored(watched, tally):
    expected = watched["checkpoints"]["whole"]["values"]
    for name in IGNORED:
        with tally.case("hostile checkpoint, harmful part ignored"):
            found = watched["checkpoints"][name]
            check(name, found)
            assert found["ended"] == "answer", (name, found)
            assert found["values"] == expected, name


def test_odd_checkpoints_are_refused_or_give_features(watched, tally):
    for name in OTHER:
        with tally.case("odd checkpoint, refused or features"):
            found = watched["checkpoints"][name]
            check(name, found)
            if found["ended"] != "answer":
                check_refused(name, found)


def test_hostile_files_are_refused(watched, tally):
    for name in FILES:
        with tally.case("hostile file, refused by load"):
            check_refused(name, watched["files"][name])
