"""What is pushed to the Hub can be read from it, now and after later pushes."""

import os
import subprocess
import sys
import tempfile
import time
import traceback

import numpy as np
import pytest
from huggingface_hub import ModelCard
from saving.cases import CASES, TEXTS
from sklearn.exceptions import NotFittedError

from sklearn_bert import BertClassifier, BertVectorizer
from sklearn_bert.exceptions import HubError

# Of huggingface_hub 2.4, which passes a file to its HTTP client under an older name.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
ID = "ann/model"


def card_of(hub, revision="main"):
    return ModelCard(hub.files(ID, revision)["README.md"].decode())


@pytest.mark.parametrize(
    "options",
    [{}, {"pooling": "max"}, {"prompt": "query: "}, {"layers": 1}],
    ids=str,
)
def test_features_make_a_round_trip(hub, tiny_bert, options):
    vectorizer = BertVectorizer(tiny_bert, **options).fit(TEXTS)
    commit = vectorizer.push_to_hub(ID, token="hf_write")
    found = BertVectorizer(ID, revision=commit).fit(TEXTS)
    np.testing.assert_array_equal(found.transform(TEXTS), vectorizer.transform(TEXTS))
    assert found.checkpoint_.commit == commit
    assert found.checkpoint_.source == "hub"


@pytest.mark.parametrize("name", CASES)
def test_every_estimator_can_be_pushed(hub, fitted, name):
    commit = fitted(name).push_to_hub(ID, token="hf_write")
    assert hub.repos[ID].branches == {"main": commit}
    assert ".gitattributes" in hub.files(ID)
    assert "sklearn-bert" in card_of(hub).data.tags


def test_an_earlier_commit_is_the_earlier_model(hub, tiny_bert):
    first = BertVectorizer(tiny_bert, pooling="max").fit(TEXTS)
    second = BertVectorizer(tiny_bert, pooling="cls").fit(TEXTS)
    commits = [one.push_to_hub(ID, token="hf_write") for one in (first, second)]
    for vectorizer, commit in zip((first, second), commits, strict=True):
        found = BertVectorizer(ID, revision=commit).transform(TEXTS)
        np.testing.assert_array_equal(found, vectorizer.transform(TEXTS))
    newest = BertVectorizer(ID).transform(TEXTS)
    np.testing.assert_array_equal(newest, second.transform(TEXTS))


def test_a_base_on_the_hub_is_named_with_its_commit_and_license(hub, tiny_bert):
    files = {path.name: path.read_bytes() for path in tiny_bert.iterdir()}
    license = b"---\nlicense: mit\n---\n"
    hub.create("bob/base", files={**files, "README.md": license})
    commit = hub.repos["bob/base"].branches["main"]
    BertVectorizer("bob/base").fit(TEXTS).push_to_hub(ID, token="hf_write")
    card = card_of(hub)
    assert (card.data.base_model, card.data.license) == ("bob/base", "mit")
    link = "[bob/base](https://huggingface.co/bob/base)"
    assert f"Base model: {link}, commit `{commit}`" in card.text


def test_the_card_opens_the_repository(hub, tiny_bert):
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    vectorizer.push_to_hub("model", token="hf_write", scores={"accuracy": 0.5})
    card = card_of(hub)
    assert "vectorizer = BertVectorizer('ann/model')" in card.text
    assert card.data.model_name == ID
    assert card.data.eval_results[0].metric_value == 0.5
    vectorizer.push_to_hub("model", token="hf_write", revision="v2")
    code = "vectorizer = BertVectorizer('ann/model', revision='v2')"
    assert code in card_of(hub, "v2").text
    assert code not in card_of(hub).text


def test_the_commit_has_a_message(hub, tiny_bert):
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    vectorizer.push_to_hub(ID, token="hf_write")
    vectorizer.set_params(pooling="max")
    vectorizer.push_to_hub(ID, token="hf_write", commit_message="Take the maximum")
    assert hub.messages(ID)[1:] == ["Upload BertVectorizer", "Take the maximum"]


def test_pushing_changes_nothing_here(hub, tiny_bert, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    before, listed = dict(vars(vectorizer)), sorted(os.listdir(tmp_path))
    vectorizer.push_to_hub(ID, token="hf_write")
    hub.fail("POST", "/commit/", 400)
    with pytest.raises(HubError):
        vectorizer.set_params(pooling="max").push_to_hub(ID, token="hf_write")
    vectorizer.set_params(pooling="auto")
    assert vars(vectorizer) == before
    assert sorted(os.listdir(tmp_path)) == listed
    assert capfd.readouterr() == ("", "")


def test_an_unfitted_estimator_asks_nothing_of_the_hub(hub, tiny_bert):
    with pytest.raises(NotFittedError):
        BertClassifier(tiny_bert).push_to_hub(ID, token="hf_write")
    assert hub.requests == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"repo_id": 3}, "'repo_id' parameter of BertVectorizer.push_to_hub"),
        ({"repo_id": "a b"}, "repo_id must be the name of a model"),
        ({"private": "yes"}, "'private' parameter"),
        ({"revision": 1}, "'revision' parameter"),
        ({"commit_message": 1}, "'commit_message' parameter"),
        ({"scores": {"accuracy": "high"}}, "scores must be a dict"),
        ({"token": b"hf_write"}, "token must be a str"),
    ],
    ids=str,
)
def test_wrong_parameters_ask_nothing_of_the_hub(hub, tiny_bert, options, match):
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    with pytest.raises(ValueError, match=match) as caught:
        vectorizer.push_to_hub(**{"repo_id": ID, "token": "hf_write", **options})
    assert "hf_write" not in str(caught.value)
    assert hub.requests == []


@pytest.mark.parametrize("token", ["hf_secret", "hf_read"])
def test_the_token_is_in_no_traceback(hub, tiny_bert, token):
    hub.create(ID)
    hub.fail("POST", "/commit/", 403, answer=f"Bearer {token} may not write")
    vectorizer = BertVectorizer(tiny_bert).fit(TEXTS)
    with pytest.raises(HubError) as caught:
        vectorizer.push_to_hub(ID, token=token)
    shown = "".join(traceback.format_exception(caught.value))
    assert "HTTP 40" in shown
    assert token not in shown


# The Hub does not answer when it gets the weights, and the process is killed.
KILLED = """
import sys
from huggingface_hub import constants
from sklearn_bert import BertVectorizer
constants.HF_HUB_DISABLE_XET = True
vectorizer = BertVectorizer(sys.argv[1]).fit(["a text"])
vectorizer.push_to_hub("ann/model", token="hf_write")
"""


def is_uploading(hub):
    return any(method == "PUT" for method, _ in hub.requests)


def test_a_killed_upload_changes_nothing(hub, tiny_bert):
    hub.create(ID, files={"config.json": b"before"})
    hub.fail("PUT", "/storage/", seconds=10, status=500)
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-P", "-c", KILLED, str(tiny_bert)]
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None and not is_uploading(hub):
            time.sleep(0.05)
        process.kill()
    assert process.returncode < 0
    assert hub.messages(ID) == ["initial commit"]
    assert hub.files(ID)["config.json"] == b"before"
    hub.faults.clear()
    commit = BertVectorizer(tiny_bert).fit(TEXTS).push_to_hub(ID, token="hf_write")
    assert hub.repos[ID].branches["main"] == commit
