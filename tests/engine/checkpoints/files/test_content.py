"""The JSON files of a checkpoint, and what must not be in them."""

import pytest

from sklearn_bert._engine.checkpoints.files.content import read_json
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert.exceptions import CheckpointError


def test_a_file_that_is_not_there_is_empty(own_bert):
    assert read_json(locate(str(own_bert), None), "modules.json") == {}


@pytest.mark.parametrize("content", ["{", "", b"\xff", "[" * 100_000])
def test_a_file_that_is_not_json_is_refused(own_bert, content):
    path = own_bert / "tokenizer_config.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CheckpointError, match=r"has a tokenizer_config.json that"):
        read_json(locate(str(own_bert), None), path.name)


@pytest.mark.parametrize("content", ["[]", "null", "1", '"text"'])
def test_a_file_without_an_object_is_refused(own_bert, content):
    (own_bert / "tokenizer_config.json").write_text(content)
    with pytest.raises(CheckpointError, match="is not a JSON object"):
        read_json(locate(str(own_bert), None), "tokenizer_config.json")
