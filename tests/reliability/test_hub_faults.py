"""Without the Hub or a part of the cache: what is there works, or a clear error."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from sharing.fake_hub import serve_hub

from sklearn_bert import BertVectorizer
from sklearn_bert._engine.checkpoints.files import hub as downloads
from sklearn_bert.exceptions import CheckpointError, CheckpointNotFoundError

TEXTS = ["a good film", "the bad plot"]
MODEL = "owner/name"


@pytest.fixture
def hub(tmp_path, monkeypatch, tiny_bert):
    """A Hub with the tiny BERT."""
    with serve_hub(tmp_path, monkeypatch) as hub:
        files = {path.name: path.read_bytes() for path in tiny_bert.iterdir()}
        hub.create(MODEL, files=files)
        yield hub


@pytest.fixture
def expected(tiny_bert):
    return BertVectorizer(str(tiny_bert)).fit(TEXTS).transform(TEXTS)


def features():
    """Return features as another process would compute them."""
    downloads._snapshot.cache_clear()
    return BertVectorizer(MODEL).fit(TEXTS).transform(TEXTS)


def snapshot():
    (folder,) = Path(constants.HF_HUB_CACHE).glob("models--*/snapshots/*")
    return folder


def test_a_complete_cache_works_offline(hub, expected):
    np.testing.assert_array_equal(features(), expected)
    hub.fail("GET", "")
    hub.fail("HEAD", "")
    np.testing.assert_array_equal(features(), expected)


def test_without_a_cache_the_error_names_the_remedy(hub):
    hub.fail("GET", "")
    hub.fail("HEAD", "")
    with pytest.raises(CheckpointNotFoundError, match="connect to the internet once"):
        features()


@pytest.mark.parametrize("is_offline", [False, True], ids=["online", "offline"])
def test_a_cache_that_lacks_a_file_is_completed_or_named(
    hub, expected, tally, is_offline
):
    features()
    if is_offline:
        hub.fail("GET", "")
        hub.fail("HEAD", "")
    for path in sorted(snapshot().iterdir()):
        target = path.resolve()
        content = target.read_bytes()
        # A link without its file, and neither.
        for lost in ([target], [target, path]):
            for one in lost:
                one.unlink()
            with tally.case(f"cache without a file, {'off' * is_offline or 'on'}line"):
                check_refused_or_equal(expected, must_work=not is_offline)
            target.write_bytes(content)
            if not path.is_symlink():
                path.symlink_to(target)


def check_refused_or_equal(expected, must_work):
    try:
        found = features()
    except CheckpointError:
        assert not must_work
    else:
        np.testing.assert_array_equal(found, expected)


def test_a_file_of_the_cache_that_was_half_written_is_not_used(hub, expected, tally):
    features()
    for path in sorted(snapshot().iterdir()):
        target = path.resolve()
        content = target.read_bytes()
        target.write_bytes(content[: len(content) // 2])
        with tally.case("cache with half a file"):
            check_refused_or_equal(expected, must_work=False)
        target.write_bytes(content)


def test_a_download_that_breaks_can_be_repeated(hub, expected, tally, tiny_bert):
    for path in sorted(tiny_bert.iterdir()):
        hub.fail("GET", f"/{path.name}")
        with tally.case("connection lost at a file"):
            check_refused_or_equal(expected, must_work=False)
        hub.faults.clear()
    np.testing.assert_array_equal(features(), expected)


def test_two_processes_may_download_at_once(hub, expected, run_module, tmp_path):
    environment = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "0",
    }
    settings = {"model": MODEL, "texts": TEXTS}
    with ThreadPoolExecutor() as pool:
        found = list(
            pool.map(lambda _: run_module("downloading", settings, **environment), "12")
        )
    for one in found:
        np.testing.assert_array_equal(np.float32(one), expected)
