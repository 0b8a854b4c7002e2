"""A file is the old or the new one after a kill -9, and the next saving cleans up."""

import os
import signal

import joblib
import pytest

from reliability.killing import digests_of
from sklearn_bert import BertTokenizer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
TEXTS = ["a good film", "the bad plot"]
FILE = "model.safetensors"
# A killed process cannot remove its temporary folder, which may have part of a file.
# The next call removes it.
PART = f".{FILE}."


@pytest.fixture
def kill(tmp_path, run_module):
    """Return a function that returns what calls killed at steps and moments left."""

    def run(estimator, method, name, moments):
        pickled = tmp_path / "model.joblib"
        joblib.dump(estimator, pickled)
        settings = {"method": method, "name": name, "moments": moments}
        settings |= {"estimator": str(pickled), "root": str(tmp_path)}
        at_steps, at_moments = run_module("killing", settings)
        *killed, (last, *_) = at_steps
        assert {status for status, *_ in killed} == {signal.SIGKILL}
        assert last == 0
        assert len(killed) > 10
        return {"steps": at_steps, "random moments": at_moments}

    return run


@pytest.fixture
def tokenizer():
    return BertTokenizer(vocab_size=64).fit(TEXTS)


def test_a_file_is_the_old_or_the_new_one_after_a_kill(
    kill, tokenizer, tmp_path, tally
):
    before = tmp_path / "before"
    before.mkdir()
    BertTokenizer(vocab_size=50).fit(TEXTS).save(before / FILE)
    tokenizer.save(tmp_path / "new")
    new = {FILE: digests_of(tmp_path)["new"]}
    allowed = [digests_of(before), new]
    assert allowed[0] != new
    found = kill(tokenizer, "save", FILE, tally.count(ci=50, soak=300))
    for kind, results in found.items():
        for _, left, error, after in results:
            with tally.case(f"kill -9 of save, at {kind}"):
                whole = {k: v for k, v in left.items() if not k.startswith(PART)}
                assert whole in allowed
                assert (error, after) == (None, new)
