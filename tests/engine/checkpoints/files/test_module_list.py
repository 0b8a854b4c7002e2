"""Which modules a checkpoint lists, and where their files are."""

import json

import pytest

from sklearn_bert._engine.checkpoints.files.module_list import (
    ListedModule,
    files_of_modules,
    folder_of_encoder,
    list_modules,
    needed_files,
    parse_modules,
)


def put(folder, *places):
    content = [{"type": f"package.Kind{k}", "path": x} for k, x in enumerate(places)]
    (folder / "modules.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("place", "folder"),
    [("", ""), (".", ""), ("0_Transformer", "0_Transformer/"), ("./a/b/", "a/b/")],
)
def test_folders_are_relative(tmp_path, place, folder):
    put(tmp_path, place)
    assert list_modules(tmp_path) == (ListedModule("package.Kind0", folder),)
    assert folder_of_encoder(list_modules(tmp_path)) == folder


def test_no_list_is_no_modules(tmp_path):
    assert list_modules(tmp_path) == ()
    assert folder_of_encoder(()) == ""
    assert files_of_modules(()) == []


@pytest.mark.parametrize("place", ["/etc", "..", "a/../..", "..\\a"])
def test_folders_outside_of_the_checkpoint_are_refused(tmp_path, place):
    put(tmp_path, "", place)
    with pytest.raises(ValueError, match="outside of the checkpoint"):
        parse_modules((tmp_path / "modules.json").read_bytes())
    assert list_modules(tmp_path) == ()


@pytest.mark.parametrize(
    "content",
    ["{", "[" * 100_000, "{}", "[]", "[1]", '[{"path": ""}]', '[{"type": 1}]'],
)
def test_a_damaged_list_is_refused(tmp_path, content):
    (tmp_path / "modules.json").write_text(content)
    with pytest.raises(ValueError, match=r"^(cannot be read|is not a list|lists )"):
        parse_modules(content.encode())
    assert list_modules(tmp_path) == ()


def test_a_list_that_is_too_long_is_refused(tmp_path):
    put(tmp_path, *[""] * 65)
    with pytest.raises(ValueError, match="lists 65 modules, and at most 64 are read"):
        parse_modules((tmp_path / "modules.json").read_bytes())


@pytest.mark.parametrize("place", ["a\0b", "\ud800", "a\nb"])
def test_folders_that_cannot_be_printed_are_refused(tmp_path, place):
    put(tmp_path, "", place)
    with pytest.raises(ValueError, match="characters that cannot be printed") as caught:
        parse_modules((tmp_path / "modules.json").read_bytes())
    assert str(caught.value).isprintable()


def test_files_of_modules_are_those_after_the_encoder():
    modules = ListedModule("a.Transformer", ""), ListedModule("a.Dense", "2_Dense/")
    expected = ["2_Dense/config.json", "2_Dense/model.safetensors"]
    assert files_of_modules(modules) == expected


def test_modules_need_their_settings_and_weights():
    kinds = {"": "Transformer", "1/": "Pooling", "2/": "Dense", "3/": "Normalize"}
    modules = tuple(ListedModule(f"a.{kind}", place) for place, kind in kinds.items())
    expected = ["1/config.json", "2/config.json", "2/model.safetensors"]
    assert needed_files(modules) == expected
