"""A folder becomes one commit of a repository, or none."""

import logging
import time

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import are_progress_bars_disabled

from sklearn_bert._engine.export import hub as hub_module
from sklearn_bert._engine.export.hub import Repository
from sklearn_bert.exceptions import HubError

# Of huggingface_hub 2.4, which passes a file to its HTTP client under an older name.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
CARD = "---\nlicense: mit\n---\n# Model\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text(CARD)
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def push(folder, name="ann/model", token="hf_write", **options):
    options = {"private": None, "revision": None, "message": "Upload", **options}
    return Repository(name, token).push(folder, **options)


def content_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_new_repository_gets_the_folder_in_one_commit(hub, folder):
    commit = push(folder, message="First")
    assert hub.messages("ann/model") == ["initial commit", "First"]
    assert hub.repos["ann/model"].branches["main"] == commit
    files = dict(hub.files("ann/model"))
    del files[".gitattributes"]
    assert files == content_of(folder)
    assert not hub.repos["ann/model"].private


def test_a_name_without_owner_is_of_the_owner_of_the_token(hub):
    assert Repository("model", "hf_write").id == "ann/model"


def test_many_files_are_one_commit(hub, folder):
    for number in range(60):
        (folder / f"extra-{number}.json").write_text("{}")
    push(folder)
    assert hub.messages("ann/model") == ["initial commit", "Upload"]


def test_the_second_push_replaces_the_model_and_nothing_else(hub, folder):
    stale = (
        "modules.json",
        "pytorch_model.bin",
        "model-00001-of-00002.safetensors",
        "head.safetensors",
    )
    others = ("notes.md", "onnx/model.onnx", "checkpoint/config.json")
    hub.create("ann/model", files=dict.fromkeys([*stale, *others, "config.json"], b""))
    push(folder)
    files = hub.files("ann/model")
    assert set(files) == {".gitattributes", *content_of(folder), *others}
    assert files["config.json"] == b"{}"
    assert len(hub.messages("ann/model")) == 2


def test_without_a_change_there_is_no_commit(hub, folder, caplog, capfd):
    first = push(folder)
    assert push(folder) == first
    assert len(hub.messages("ann/model")) == 2
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_a_branch_is_created_and_main_is_not_changed(hub, folder):
    hub.create("ann/model")
    before = hub.repos["ann/model"].branches["main"]
    commit = push(folder, revision="v2")
    assert hub.repos["ann/model"].branches == {"main": before, "v2": commit}
    assert push(folder, revision="v2") == commit


def test_a_private_repository_is_created_and_stays_private(hub, folder):
    push(folder, private=True)
    assert hub.repos["ann/model"].private
    (folder / "config.json").write_text("{ }")
    for private in (True, False, None):
        push(folder, private=private)
    assert hub.repos["ann/model"].private


def test_what_should_be_private_is_not_published(hub, folder):
    hub.create("ann/model")
    with pytest.raises(HubError, match=r"Got 'ann/model', which exists and is public"):
        push(folder, private=True)
    assert hub.messages("ann/model") == ["initial commit"]
    assert hub.stored == {}


def test_a_branch_is_not_created_in_a_public_repository_that_should_be_private(
    hub, folder
):
    hub.create("ann/model")
    with pytest.raises(HubError, match="exists and is public"):
        push(folder, private=True, revision="dev")
    assert list(hub.repos["ann/model"].branches) == ["main"]


def test_the_login_is_used_without_a_token(hub, folder, tmp_path):
    with pytest.raises(HubError, match=r"Got none\. Log in with 'hf auth login'"):
        push(folder, token=None)
    (tmp_path / "token").write_text("hf_write")
    push(folder, token=None)
    assert "config.json" in hub.files("ann/model")


@pytest.mark.parametrize(
    "name", ["", "a b", "a/b/c", "-a", "a--b", "a.git", "https://huggingface.co/a/b"]
)
def test_a_name_that_cannot_be_one_is_refused(hub, name):
    with pytest.raises(ValueError, match=r"repo_id must be .* Correct the name\."):
        Repository(name, "hf_write")
    assert hub.requests == []


# --- faults ------------------------------------------------------------------------


@pytest.fixture
def no_waiting(monkeypatch):
    # The client tries several times, and waits for seconds in between.
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


REFUSALS = [
    ("hf_unknown", 401, "does not accept the token"),
    ("hf_read", 403, "does not allow this with the token"),
]


@pytest.mark.parametrize(("token", "status", "what"), REFUSALS)
def test_a_token_that_is_not_enough_is_refused(hub, folder, token, status, what):
    hub.create("ann/model")
    with pytest.raises(HubError, match=rf"{what} \(HTTP {status}: .*\)\.") as caught:
        push(folder, token=token)
    assert token not in str(caught.value)
    assert hub.messages("ann/model") == ["initial commit"]


def test_a_repository_of_somebody_else_is_refused(hub, folder):
    with pytest.raises(HubError, match=r"'bob/model', since .* \(HTTP 403"):
        push(folder, "bob/model")
    assert hub.repos == {}


def test_a_token_that_may_not_create_repositories_can_write(hub, folder):
    hub.create("ann/model")
    hub.fail("POST", "/api/repos/create", 403)
    push(folder)
    assert hub.messages("ann/model")[-1] == "Upload"


STEPS = [
    ("GET", "/api/models/ann/model"),
    ("POST", "/api/validate-yaml"),
    ("POST", "/preupload/"),
    ("POST", "/info/lfs/objects/batch"),
    ("PUT", "/storage/"),
    ("POST", "/commit/"),
]
ANSWERS = {
    400: "refused the upload",
    404: "did not find the repository",
    409: "was changed during the upload",
    429: "received too many requests",
    500: "has an error",
    503: "has an error",
}


@pytest.mark.parametrize("status", ANSWERS)
@pytest.mark.parametrize(("method", "part"), STEPS[2:], ids=lambda x: x.strip("/"))
def test_a_refusal_at_any_step_leaves_the_repository_as_it_was(
    hub, folder, no_waiting, method, part, status
):
    hub.create("ann/model", files={"config.json": b"before"})
    hub.fail(method, part, status, answer="the reason, for hf_write")
    with pytest.raises(HubError, match=ANSWERS[status]) as caught:
        push(folder)
    assert f"(HTTP {status}: the reason, for ***)" in str(caught.value)
    assert hub.messages("ann/model") == ["initial commit"]
    assert hub.files("ann/model")["config.json"] == b"before"


@pytest.mark.parametrize(("method", "part"), STEPS, ids=lambda x: x.strip("/"))
def test_an_upload_that_is_cut_can_be_repeated(hub, folder, no_waiting, method, part):
    hub.create("ann/model", files={"config.json": b"before"})
    hub.fail(method, part)
    with pytest.raises(HubError, match="the Hub could not be reached") as caught:
        push(folder)
    assert "hf_write" not in str(caught.value)
    assert hub.messages("ann/model") == ["initial commit"]
    hub.faults.clear()
    push(folder)
    assert hub.files("ann/model")["config.json"] == b"{}"


def test_an_error_of_the_server_that_passes_is_not_noticed(hub, folder, no_waiting):
    hub.fail("PUT", "/storage/", 500, left=2)
    push(folder)
    assert hub.files("ann/model")["model.safetensors"] == b"weights"


def test_a_page_instead_of_an_answer_is_an_error(hub, folder):
    hub.fail("POST", "/api/validate-yaml", 502, page=b"<html>Bad gateway</html>")
    with pytest.raises(HubError, match="ann/model"):
        push(folder)


def test_a_server_that_does_not_answer_is_an_error(hub, folder, monkeypatch):
    monkeypatch.setattr(hub_module, "_SECONDS", 0.2)
    hub.fail("GET", "/api/models/ann/model", 500, seconds=1)
    with pytest.raises(HubError, match=r"could not be reached \(\w*[Tt]ime"):
        push(folder)


def test_a_commit_of_somebody_else_in_between_is_not_overwritten(hub, folder):
    hub.create("ann/model")
    repo = hub.repos["ann/model"]

    def change():
        repo.add("main", "Other", {"config.json": b"other"})

    hub.fail("POST", "/preupload/", action=change, left=1)
    with pytest.raises(HubError, match=r"was changed during the upload .* again"):
        push(folder)
    assert hub.messages("ann/model") == ["initial commit", "Other"]
    push(folder)
    assert hub.messages("ann/model")[-1] == "Upload"


def test_nobody_listens(hub, folder, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match=r"reached \(\w+\)\. Check the connection"):
        push(folder)


def test_the_offline_mode_is_named(hub, folder, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="Unset the environment variable HF_HUB_OFFLINE"):
        push(folder)


def test_nothing_is_printed_and_settings_are_restored(hub, folder, capfd, caplog):
    logger = logging.getLogger("huggingface_hub")
    before = logger.level, are_progress_bars_disabled()
    push(folder)
    hub.fail("POST", "/commit/", 400)
    (folder / "config.json").write_text("[]")
    with pytest.raises(HubError):
        push(folder)
    assert (logger.level, are_progress_bars_disabled()) == before
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""
