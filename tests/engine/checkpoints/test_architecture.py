"""What the configuration of a checkpoint says, and what it must not say."""

import json

import pytest

from sklearn_bert._engine.checkpoints.architecture import read_architecture
from sklearn_bert._engine.checkpoints.files.locate import locate


def test_architecture_is_read_without_weights(own_bert):
    (own_bert / "model.safetensors").unlink()
    architecture = read_architecture(locate(str(own_bert), None))
    assert (architecture.hidden_size, architecture.n_layers) == (32, 3)
    assert architecture.max_positions == 64


def test_declarations_are_read(own_bert, declare):
    assert read_architecture(locate(str(own_bert), None)).pooling is None
    declare(own_bert, {"pooling_mode": "max"}, ("Normalize", {}, {}))
    architecture = read_architecture(locate(str(own_bert), None))
    assert architecture.pooling == "max"
    assert [module.kind for module in architecture.modules] == ["Normalize"]


@pytest.mark.parametrize(("limit", "expected"), [(40, 40), (99, 64), (None, 33)])
def test_the_declared_limit_replaces_that_of_the_tokenizer(
    save_tokenizer, own_bert, limit, expected
):
    save_tokenizer(own_bert, limit=33)
    content = json.dumps({"max_seq_length": limit})
    (own_bert / "sentence_bert_config.json").write_text(content)
    assert read_architecture(locate(str(own_bert), None)).max_length == expected


def test_the_tokenizers_limit_is_read(save_tokenizer, own_bert):
    save_tokenizer(own_bert, limit=33)
    assert read_architecture(locate(str(own_bert), None)).max_length == 33


@pytest.mark.parametrize("family", ["roberta", "camembert", "data2vec-text"])
def test_positions_after_padding_are_not_counted(save_model, tmp_path, family):
    folder = save_model(tmp_path / family, family, pad_token_id=1)
    architecture = read_architecture(locate(str(folder), None))
    assert (architecture.first_position, architecture.max_positions) == (2, 62)
