"""Where files are written, and what is left of a failure."""

import os
import resource
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from saving.cases import TEXTS
from sklearn_bert import BertClassifier, BertTokenizer, BertVectorizer, load
from sklearn_bert._sklearn_compat import InvalidParameterError
from sklearn_bert.exceptions import SavedFileError


@pytest.fixture(scope="module")
def tokenizer():
    return BertTokenizer(vocab_size=64).fit(TEXTS)


@pytest.mark.parametrize("kind", [BertClassifier, BertTokenizer])
def test_an_estimator_must_be_fitted(kind, tmp_path):
    with pytest.raises(NotFittedError):
        kind().save(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_vectorizer_need_not_be_fitted(tmp_path):
    BertVectorizer("nowhere").save(tmp_path / "file")
    assert load(tmp_path / "file").get_params()["model"] == "nowhere"


@pytest.mark.parametrize(
    ("path", "options"),
    [(1, {}), (None, {}), ("file", {"dtype": "float16"}), ("file", {"dtype": 1})],
)
def test_parameters_are_validated(tokenizer, path, options):
    with pytest.raises(InvalidParameterError, match=r"of BertTokenizer\.save must"):
        tokenizer.save(path, **options)


def test_a_path_may_be_a_str_and_start_in_the_home(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    tokenizer.save("~/file")
    assert load("~/file").tokenize(TEXTS) == tokenizer.tokenize(TEXTS)


def test_a_link_remains_and_its_file_is_replaced(tokenizer, tmp_path):
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to(target)
    for _ in range(2):
        tokenizer.save(link)
        assert link.is_symlink()
        assert load(target).tokenize(TEXTS) == tokenizer.tokenize(TEXTS)


def test_a_folder_is_refused(tokenizer, tmp_path):
    with pytest.raises(SavedFileError, match="path must be a file"):
        tokenizer.save(tmp_path)


def test_a_missing_folder_is_refused(tokenizer, tmp_path):
    with pytest.raises(SavedFileError, match=r"folder .*none' is missing. Create it"):
        tokenizer.save(tmp_path / "none" / "file")


def test_rounding_is_refused_where_there_are_no_weights(tokenizer, tmp_path):
    with pytest.raises(SavedFileError, match="dtype must be None for an estimator"):
        tokenizer.save(tmp_path / "file", dtype="bfloat16")
    assert [*tmp_path.iterdir()] == []


def test_a_full_disk_keeps_the_previous_file(case, tokenizer, tmp_path):
    path = tmp_path / "file"
    expected = tokenizer.save(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(SavedFileError, match="File too large"):
            case("classes of texts").estimator.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == [path]
    load(path, expected)


class Stop(BaseException):
    """Ctrl-C, or the end of the process."""


@pytest.mark.parametrize("name", ["fsync", "replace"])
@pytest.mark.parametrize("n_before", [0, 1])
def test_an_interruption_leaves_the_old_or_the_new_file(
    tokenizer, tmp_path, monkeypatch, name, n_before
):
    path = tmp_path / "file"
    BertVectorizer("old").save(path)
    calls = []
    original = getattr(os, name)

    def stop(*args, **options):
        calls.append(args)
        if len(calls) > n_before:
            raise Stop
        return original(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, stop)
        with suppress(Stop):
            tokenizer.save(path)
    assert list(tmp_path.iterdir()) == [path]
    assert type(load(path)) in (BertVectorizer, BertTokenizer)


# Each child ends, without any clean-up, when it has opened, renamed or removed n files.
KILLED = """
import os, sys
from pathlib import Path
from sklearn_bert import BertTokenizer, BertVectorizer, load

path = Path(sys.argv[1])
tokenizer, old = BertTokenizer(vocab_size=64).fit(["a cat"]), BertVectorizer("old")

def save_until(n):
    count = 0
    def watch(event, args):
        nonlocal count
        if event in ("open", "os.rename", "os.remove") and path.name in str(args[0]):
            count += 1
            if count > n:
                os._exit(9)
    sys.addaudithook(watch)
    tokenizer.save(path)
    os._exit(0)

for n in range(20):
    old.save(path)
    child = os.fork()
    if not child:
        save_until(n)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, type(load(path)).__name__, len(list(path.parent.iterdir())))
    if code != 9:
        break
"""


def test_a_killed_process_leaves_the_old_or_the_new_file(tmp_path):
    command = [sys.executable, "-P", "-c", KILLED, str(tmp_path / "the-file")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    codes, kinds, n_files = zip(*map(str.split, run.stdout.splitlines()), strict=True)
    assert len(codes) > 4
    assert {*codes[:-1]} == {"9"}
    assert codes[-1] == "0"
    n_old = kinds.count("BertVectorizer")
    assert n_old > 1
    assert {*kinds[n_old:]} == {"BertTokenizer"}
    # One leftover at most, which the next save removes.
    assert {*n_files} == {"1", "2"}
    assert n_files[-1] == "1"


def test_half_precision_halves_the_file(case, tmp_path):
    one = case("classes of texts")
    one.estimator.save(tmp_path / "whole")
    one.estimator.save(tmp_path / "half", dtype="bfloat16")
    sizes = [(tmp_path / name).stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    loaded = load(tmp_path / "half")
    assert loaded.encoder_.weights.keys() == one.estimator.encoder_.weights.keys()
    assert all(x.dtype == np.float32 for x in loaded.encoder_.weights.values())
    np.testing.assert_allclose(
        loaded.predict_proba(one.X), one.estimator.predict_proba(one.X), atol=0.05
    )
    assert loaded.save(tmp_path / "again", dtype="bfloat16") == one.estimator.save(
        tmp_path / "half", dtype="bfloat16"
    )
