"""A full disk: the old file stays, nothing is added, and the error says what to do."""

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import joblib
import pytest

from reliability.killing import digests_of
from sklearn_bert import load
from sklearn_bert.exceptions import SavedFileError

resource = pytest.importorskip("resource")

GOLDEN = Path(__file__).parents[1] / "saving" / "golden"
FILE = "model.safetensors"
RULE = "must be a file that can be written. Got"
REMEDY = "Check its permissions and the free space."


@pytest.fixture(scope="module")
def classifier():
    return load(GOLDEN / "classifier-1.safetensors")


@contextmanager
def largest_file(n_bytes):
    """Let no file be longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_cannot_be_written_wholly_leaves_the_old_one(
    classifier, tmp_path, tally
):
    path = tmp_path / FILE
    classifier.save(path)
    size, old = path.stat().st_size, digests_of(tmp_path)
    n_steps = 50
    for step in range(n_steps):
        with tally.case("disk full in save, at a file size"):
            limit = largest_file(step * size // n_steps)
            with limit, pytest.raises(SavedFileError, match=RULE) as caught:
                classifier.save(path)
            assert str(caught.value).endswith(REMEDY)
            assert digests_of(tmp_path) == old
    with largest_file(size):
        classifier.save(path)
    assert digests_of(tmp_path) == old


@pytest.mark.parametrize("before", ["absent", "earlier"])
def test_a_folder_that_cannot_be_written_wholly_leaves_the_old_one(
    classifier, tmp_path, tally, before
):
    classifier.save_pretrained(tmp_path / "first" / "model")
    sizes = [x.stat().st_size for x in tmp_path.rglob("*") if x.is_file()]
    place = tmp_path / "place"
    place.mkdir()
    if before == "earlier":
        classifier.save_pretrained(place / "model")
    old = digests_of(place)
    n_steps = tally.count(ci=10, soak=50)
    for step in range(n_steps):
        with tally.case("disk full in save_pretrained, at a file size"):
            limit = largest_file(step * max(sizes) // n_steps)
            with limit, pytest.raises(SavedFileError, match="the free space"):
                classifier.save_pretrained(place / "model")
            assert digests_of(place) == old
    classifier.save_pretrained(place / "model")
    assert digests_of(place) == digests_of(tmp_path / "first")


@pytest.fixture
def save_on_a_small_disk(tmp_path, run_module):
    """Return a function that saves on a file system of 1 MB at levels of free space."""
    disk = tmp_path / "disk"
    disk.mkdir()
    # Without more rights than those of the user.
    mounting = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size=1m none '{disk}'"
    if not shutil.which("unshare") or subprocess.run([*mounting, mount]).returncode:
        pytest.skip("needs the right to mount a file system in a namespace of its own")

    def save(estimator, method, name, n_levels):
        pickled = tmp_path / "model.joblib"
        joblib.dump(estimator, pickled)
        settings = {"method": method, "name": name, "n_levels": n_levels}
        settings |= {"estimator": str(pickled), "folder": str(disk)}
        command = [*mounting, f'{mount} && exec "$@"', "sh"]
        return run_module("filling", settings, command)

    return save


def test_a_full_disk_leaves_the_old_file(classifier, save_on_a_small_disk, tally):
    found = save_on_a_small_disk(classifier, "save", FILE, tally.count(ci=3, soak=12))
    for outcome, left in found:
        with tally.case("disk full in save, on a disk of 1 MB"):
            kind, message = outcome
            assert kind == "SavedFileError"
            assert "No space left on device" in message
            assert RULE in message
            assert message.endswith(REMEDY)
            assert left == found[0][1]
            assert [*left] == [FILE]
