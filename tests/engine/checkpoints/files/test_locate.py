"""A checkpoint is found locally first, and named with every place if nowhere."""

import json
import shutil
from fnmatch import fnmatch
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file

from sklearn_bert._engine.checkpoints.files.bundle import BUNDLES
from sklearn_bert._engine.checkpoints.files.locate import find_pickles, locate
from sklearn_bert._engine.checkpoints.files.names import DECLARATIONS
from sklearn_bert.exceptions import CheckpointNotFoundError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_folder_is_found(tiny_bert, downloads):
    files = locate(str(tiny_bert), None)
    assert (files.folder, files.source, files.commit) == (tiny_bert, "directory", None)
    assert downloads == []


def test_a_tilde_is_the_home_folder(tiny_bert, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny_bert.parent))
    assert locate("~/tiny-bert", None).folder == tiny_bert


@pytest.mark.parametrize("find", [locate, find_pickles])
def test_a_folder_has_no_revisions(find, tiny_bert):
    with pytest.raises(ValueError, match=r"Got revision='v1' .* Set revision=None"):
        find(str(tiny_bert), "v1")


@pytest.mark.parametrize("find", [locate, find_pickles])
def test_a_file_is_no_folder(find, tiny_bert, monkeypatch, downloads):
    monkeypatch.chdir(tiny_bert.parent)
    file = f"{tiny_bert.name}/config.json"
    with pytest.raises(
        CheckpointNotFoundError,
        match=f"'{file}', which is a file. Pass its folder '{tiny_bert.name}'",
    ):
        find(file, None)
    assert downloads == []


@pytest.mark.parametrize("model", ["./nowhere", "/no/such", "~/nothing", "a/b/c"])
def test_a_path_without_a_folder_is_never_asked_of_the_hub(model, downloads):
    with pytest.raises(CheckpointNotFoundError, match="there is no folder"):
        locate(model, None)
    assert downloads == []


@pytest.mark.parametrize("revision", [None, "main", BUNDLES[MINILM].commit])
def test_the_bundle_is_found_and_not_imported(bundle, revision, downloads):
    files = locate(MINILM, revision)
    assert (files.folder, files.source) == (bundle, "bundle")
    assert files.commit == BUNDLES[MINILM].commit
    assert downloads == []


def test_a_changed_bundle_is_passed_over(bundle, cached):
    cached(MINILM)
    with open(bundle / "model.safetensors", "ab") as file:
        file.write(b"\0")
    assert locate(MINILM, None).source == "cache"


def test_another_revision_than_the_bundles_is_looked_for(bundle, cached):
    cached(MINILM, "v2")
    assert locate(MINILM, "v2").source == "cache"


def test_an_unknown_revision_of_a_bundle_can_be_left_out(bundle, downloads):
    with pytest.raises(CheckpointNotFoundError, match="set revision=None for the copy"):
        locate(MINILM, "v2")


def test_the_cache_is_found_before_the_hub(cached, downloads):
    cached("owner/name")
    files = locate("owner/name", None)
    assert (files.source, files.commit) == ("cache", COMMIT)
    assert downloads == []


def test_an_incomplete_cache_is_completed_from_the_hub(cache, cached, downloads):
    cached("owner/name")
    next(cache.rglob("model.safetensors")).unlink()
    with pytest.raises(CheckpointNotFoundError):
        locate("owner/name", None)
    assert downloads == [("owner/name", None)]


@pytest.mark.parametrize(
    "present",
    [
        ["model-00001-of-00002.safetensors", "model.safetensors.index.json"],
        ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
    ],
    ids=["a shard is missing", "the index is missing"],
)
def test_a_sharded_download_that_was_interrupted_is_resumed(
    cache, cached, downloads, present
):
    cached("owner/name")
    weights = next(cache.rglob("model.safetensors"))
    weights.unlink()
    for name in present:
        weights.with_name(name).touch()
    with pytest.raises(CheckpointNotFoundError):
        locate("owner/name", None)
    assert downloads == [("owner/name", None)]


def put_shards(weights):
    """Replace a file of weights by two shards and their index."""
    tensors = load_file(weights)
    weights.unlink()
    names = [f"model-0000{k}-of-00002.safetensors" for k in (1, 2)]
    where = {key: names[k % 2] for k, key in enumerate(sorted(tensors))}
    for name in names:
        part = {key: tensors[key] for key in where if where[key] == name}
        save_file(part, weights.with_name(name), metadata={"format": "pt"})
    index = weights.with_name("model.safetensors.index.json")
    index.write_text(json.dumps({"weight_map": where}))
    return names


def test_a_cache_that_holds_every_shard_is_complete(cache, cached, downloads):
    cached("owner/name")
    put_shards(next(cache.rglob("model.safetensors")))
    assert locate("owner/name", None).source == "cache"
    assert downloads == []


@pytest.mark.parametrize("damage", ["missing", "dangling", "index"])
def test_an_interrupted_download_that_cannot_be_resumed_names_what_is_missing(
    cache, cached, monkeypatch, damage
):
    cached("owner/name")
    weights = next(cache.rglob("model.safetensors"))
    _, lost = put_shards(weights)
    if damage == "index":
        lost = "model.safetensors.index.json"
        weights.with_name(lost).write_text('{"weight_map": []}')
    else:
        weights.with_name(lost).unlink()
    if damage == "dangling":
        weights.with_name(lost).symlink_to("nowhere")
    # Offline, the client returns what it has.
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda *a, **k: str(weights.parent)
    )
    with pytest.raises(CheckpointNotFoundError, match=f"lacks {lost}. Connect"):
        locate("owner/name", None)


def test_a_cache_whose_weights_are_a_dangling_link_is_completed(
    cache, cached, downloads
):
    cached("owner/name")
    weights = next(cache.rglob("model.safetensors"))
    weights.unlink()
    weights.symlink_to("nowhere")
    with pytest.raises(CheckpointNotFoundError):
        locate("owner/name", None)
    assert downloads == [("owner/name", None)]


def test_a_cache_that_lacks_the_declarations_is_completed_from_the_hub(
    cached, downloads
):
    # transformers caches a model without its sentence-transformers files.
    cached("owner/name", knows_all=False)
    with pytest.raises(CheckpointNotFoundError):
        locate("owner/name", None)
    assert downloads == [("owner/name", None)]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_module_without_safetensors_is_asked_of_the_hub_once(
    cache, cached, declare, downloads, is_known
):
    cached("owner/name")
    root = cache / "models--owner--name"
    folder = root / "snapshots" / COMMIT
    declare(folder, {"pooling_mode": "mean"}, ("Dense", {}, {}))
    missing = root / ".no_exist" / COMMIT / "2_Dense" / "model.safetensors"
    if is_known:
        missing.parent.mkdir()
        missing.touch()
        assert locate("owner/name", None, may_download=False).folder == folder
    else:
        with pytest.raises(CheckpointNotFoundError):
            locate("owner/name", None)
    assert bool(downloads) != is_known


def test_a_missing_file_of_a_module_is_noted_in_the_cache(
    monkeypatch, tiny_bert, tmp_path, declare
):
    asked = []
    folder = shutil.copytree(tiny_bert, tmp_path / COMMIT)
    declare(folder, {"pooling_mode": "mean"}, ("Dense", {}, {}))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: folder)
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_download", lambda model, name, **k: asked.append(name)
    )
    assert locate("owner/name", None).source == "hub"
    assert "2_Dense/model.safetensors" in asked


def test_displaying_never_downloads(downloads):
    with pytest.raises(
        CheckpointNotFoundError, match="must be available on this machine"
    ):
        locate("owner/name", None, may_download=False)
    assert downloads == []


def test_a_snapshot_without_weights_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: tmp_path)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *a, **k: None)
    with pytest.raises(
        CheckpointNotFoundError, match=r"lacks a fast tokenizer, model\.s"
    ):
        locate("owner/name", None)


def test_the_hub_is_asked_last(monkeypatch, tiny_bert, tmp_path):
    def download(model, revision, allow_patterns):
        return str(shutil.copytree(tiny_bert, tmp_path / COMMIT))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *a, **k: None)
    files = locate("owner/name", "v1")
    assert (files.source, files.commit) == ("hub", COMMIT)


def test_modules_are_downloaded_where_the_list_says(
    monkeypatch, own_bert, declare, tmp_path
):
    kept = declare_dense(own_bert, declare, encoder="0_Encoder")
    (own_bert / "0_Pooling").mkdir()
    (own_bert / "0_Pooling/config.json").write_text("{}")
    asked = serve(monkeypatch, own_bert, tmp_path)
    files = locate("owner/name", "v1")
    assert asked == ["v1", COMMIT]
    assert set(files.digests) == kept
    assert files.encoder_folder == files.folder / "0_Encoder"
    assert not (files.folder / "0_Pooling").exists()


def test_pickles_of_modules_are_downloaded_where_the_list_says(
    monkeypatch, own_bert, declare, tmp_path
):
    declare_dense(own_bert, declare, encoder="encoder")
    (own_bert / "2_Dense").rename(own_bert / "head")
    listed = (own_bert / "modules.json").read_text().replace("2_Dense", "head")
    (own_bert / "modules.json").write_text(listed)
    for place in ("encoder", "head", "3_Dense"):
        (own_bert / place).mkdir(exist_ok=True)
        (own_bert / place / "pytorch_model.bin").touch()
    (own_bert / "encoder/model.safetensors").unlink()
    (own_bert / "head/model.safetensors").unlink()
    asked = serve(monkeypatch, own_bert, tmp_path)
    folder = find_pickles("owner/name", "v1")
    assert asked == ["v1", COMMIT]
    found = {x.relative_to(folder).as_posix() for x in folder.rglob("*") if x.is_file()}
    expected = {path.name for path in (own_bert / "encoder").iterdir()}
    assert found == {
        "modules.json",
        "1_Pooling/config.json",
        "head/config.json",
        "head/pytorch_model.bin",
        *(f"encoder/{name}" for name in expected),
    }


def test_a_cache_without_a_module_is_completed(cache, cached, declare, downloads):
    cached("owner/name", knows_all=False)
    folder = next(cache.rglob("snapshots")) / COMMIT
    declare_dense(folder, declare)
    none = cache / "models--owner--name" / ".no_exist" / COMMIT
    none.mkdir(parents=True)
    for name in DECLARATIONS[1:]:
        (none / name).touch()
    assert locate("owner/name", None).source == "cache"
    (folder / "2_Dense/model.safetensors").unlink()
    with pytest.raises(CheckpointNotFoundError):
        locate("owner/name", None)
    assert downloads == [("owner/name", None)]


def serve(monkeypatch, source, tmp_path):
    """Download from a folder; return the list of the revisions that are asked for."""
    asked = []

    def download(model, revision, allow_patterns):
        asked.append(revision)
        folder = tmp_path / COMMIT
        for path in source.rglob("*"):
            name = path.relative_to(source).as_posix()
            if path.is_file() and any(fnmatch(name, one) for one in allow_patterns):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / name)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *a, **k: None)
    return asked


def declare_dense(folder, declare, encoder=""):
    """Declare a pooling and a Dense; return the names of the files that are read."""
    dense = ("Dense", {"in_features": 32, "out_features": 2}, {"a": torch.zeros(1)})
    declare(folder, {}, dense, encoder=encoder)
    of_encoder = [
        path
        for path in folder.iterdir()
        if path.is_file() and path.name != "modules.json"
    ]
    if encoder:
        (folder / encoder).mkdir()
        for path in of_encoder:
            path.rename(folder / encoder / path.name)
    return {
        "modules.json",
        "1_Pooling/config.json",
        "2_Dense/config.json",
        "2_Dense/model.safetensors",
        *((Path(encoder) / path.name).as_posix() for path in of_encoder),
    }


@pytest.mark.parametrize("name", ["3_Dense", "1_Stale_Pooling"])
def test_folders_that_are_not_listed_are_not_read(own_bert, declare, name):
    expected = declare_dense(own_bert, declare)
    (own_bert / name).mkdir()
    (own_bert / name / "config.json").write_text("{}")
    assert set(locate(str(own_bert), None).digests) == expected
