"""Loading of files of this package, and of no others."""

import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone

from sklearn_bert import BertClassifier, BertTokenizer, BertVectorizer, load
from sklearn_bert._sklearn_compat import InvalidParameterError
from sklearn_bert.exceptions import SavedFileError

TEXTS = ["the film was good", "a bad plot", "slow and long", "it was fun"] * 3
LABELS = ["good", "bad", "bad", "good"] * 3


@pytest.fixture(scope="module")
def classifier(tiny_bert):
    classifier = BertClassifier(tiny_bert, n_epochs=1, random_state=0, dtype="float32")
    return classifier.fit(TEXTS, LABELS)


@pytest.fixture
def path(classifier, tmp_path):
    path = tmp_path / "classifier.safetensors"
    classifier.save(path)
    return path


class Evil:
    """Writes a file if it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("dump", [pickle.dump, joblib.dump])
def test_pickles_are_never_loaded(dump, tmp_path):
    path, canary = tmp_path / "file", tmp_path / "canary"
    with open(path, "wb") as file:
        dump(Evil(canary), file)
    with pytest.raises(SavedFileError, match="can run code"):
        load(path)
    assert not canary.exists()


def test_a_file_holds_no_pickle(path):
    data = path.read_bytes()
    assert b"\x80\x04\x95" not in data
    assert b"sklearn.base" not in data


def test_the_expected_sha256_is_compared(classifier, path):
    sha256 = classifier.save(path)
    load(path, sha256)
    load(str(path), expected_sha256=sha256.upper())
    clone(classifier).set_params(n_epochs=2).fit(TEXTS, LABELS).save(path)
    with pytest.raises(SavedFileError, match="Do not load the file"):
        load(path, sha256)


@pytest.mark.parametrize("value", ["", "0" * 63, "g" * 64, f"{'0' * 64} "])
def test_the_expected_sha256_must_be_one(path, value):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        load(path, value)


def test_a_path_that_is_empty_is_not_the_working_folder():
    with pytest.raises(SavedFileError, match=r"Got ''"):
        load("")


@pytest.mark.parametrize(("given", "sha256"), [(1, None), (None, None), ("a", 1)])
def test_parameters_are_validated(given, sha256):
    with pytest.raises(InvalidParameterError, match="of load must be"):
        load(given, sha256)


# Loading and predicting unpickles nothing, starts nothing, and asks no other machine.
ELSEWHERE = """
import os, sys, numpy
from sklearn_bert import load

FORBIDDEN = "pickle.", "socket.connect", "socket.getaddrinfo", "subprocess.", "os.exec"
sys.addaudithook(lambda event, args: event.startswith(FORBIDDEN) and os._exit(3))
numpy.save(sys.argv[2], load(sys.argv[1]).predict_proba(sys.argv[3:]))
"""


def test_another_process_with_another_home_predicts_the_same(
    classifier, path, tmp_path
):
    found, home = tmp_path / "found.npy", tmp_path / "home"
    home.mkdir()
    subprocess.run(
        [sys.executable, "-P", "-c", ELSEWHERE, str(path), str(found), *TEXTS],
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "HOME": str(home), "PATH": ""},
    )
    np.testing.assert_allclose(
        np.load(found), classifier.predict_proba(TEXTS), atol=1e-6
    )
    assert list(home.iterdir()) == []


def test_a_device_that_is_missing_is_an_error_of_the_prediction(classifier, tmp_path):
    copied = pickle.loads(pickle.dumps(classifier)).set_params(device="cuda:99")
    copied.save(tmp_path / "file")
    loaded = load(tmp_path / "file")
    assert loaded.device == "cuda:99"
    loaded.set_params(device="cpu")
    assert loaded.predict(TEXTS).tolist() == classifier.predict(TEXTS).tolist()


def test_a_loaded_vectorizer_notices_another_checkpoint(own_bert, tmp_path):
    BertVectorizer(own_bert).fit(TEXTS).save(tmp_path / "file")
    config = own_bert / "config.json"
    config.write_text(config.read_text().replace("0.02", "0.03") + " ")
    with pytest.raises(ValueError, match="must be the one that the estimator was"):
        load(tmp_path / "file").transform(TEXTS)


def test_arrays_of_a_loaded_estimator_can_be_changed(path):
    loaded = load(path)
    loaded.coef_ += 1
    next(iter(loaded.encoder_.weights.values()))[:] = 0
    assert np.isfinite(loaded.predict_proba(TEXTS)).all()


def test_the_file_is_not_kept_open_or_changed(path):
    before = path.read_bytes()
    loaded = load(path)
    path.write_bytes(b"")
    assert loaded.predict(TEXTS).shape == (12,)
    path.write_bytes(before)
    load(path)


def test_saved_over_itself(path):
    first = load(path)
    sha256 = first.save(path)
    assert load(path, sha256).coef_.tolist() == first.coef_.tolist()


def test_a_tokenizer_splits_control_tokens_after_loading(tmp_path):
    tokenizer = BertTokenizer(vocab_size=64, max_length=20).fit(TEXTS)
    tokenizer.save(tmp_path / "file")
    loaded = load(tmp_path / "file")
    tricky = ["[SEP] film", "[PAD]"]
    assert loaded.transform(tricky).tolist() == tokenizer.transform(tricky).tolist()
