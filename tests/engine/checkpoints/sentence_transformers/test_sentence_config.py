"""The settings of sentence-transformers that determine the tokens of a text."""

import json

import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.files.names import SENTENCE_CONFIGS
from sklearn_bert._engine.checkpoints.sentence_transformers.sentence_config import (
    SentenceConfig,
    read_sentence_config,
)
from sklearn_bert.exceptions import CheckpointError

# What version 6 of sentence-transformers writes.
NEW = {
    "transformer_task": "feature-extraction",
    "modality_config": {
        "text": {"method": "forward", "method_output_name": "last_hidden_state"}
    },
    "module_output_name": "token_embeddings",
    "unpad_inputs": True,
}


@pytest.fixture
def read(own_bert):
    """Return a function that writes settings and reads them."""

    def read(content, name="sentence_bert_config.json"):
        (own_bert / name).write_text(json.dumps(content))
        return read_sentence_config(locate(str(own_bert), None))

    return read


@pytest.mark.parametrize("name", SENTENCE_CONFIGS)
def test_the_file_is_read_under_each_of_its_names(read, name):
    content = {"max_seq_length": 40, "do_lower_case": True}
    assert read(content, name) == SentenceConfig(40, lowercase=True)


def test_the_first_file_with_content_counts(read):
    read({"max_seq_length": 30}, "sentence_xlnet_config.json")
    read({"max_seq_length": 40}, "sentence_roberta_config.json")
    assert read({}).max_length == 40
    assert read({"do_lower_case": False}).max_length is None


@pytest.mark.parametrize("name", SENTENCE_CONFIGS)
def test_the_file_is_a_part_of_the_checkpoint(read, own_bert, name):
    read({}, name)
    assert name in locate(str(own_bert), None).digests


def test_a_checkpoint_without_the_file_has_the_settings_of_its_tokenizer(own_bert):
    assert read_sentence_config(locate(str(own_bert), None)) == SentenceConfig()


@pytest.mark.parametrize(
    "content",
    [
        {"tokenizer_args": {"model_max_length": 20}},
        {"max_seq_length": 40, "processor_kwargs": {"model_max_length": 20}},
        {"max_seq_length": 40, "processing_kwargs": {"text": {"max_length": 20}}},
        {
            "processing_kwargs": {
                "common": {"max_length": 40},
                "text": {"max_length": 20, "truncation": True, "padding": "longest"},
            }
        },
        {**NEW, "max_seq_length": 20, "processing_kwargs": {"text": None}},
    ],
)
def test_the_limit_is_read_where_new_files_keep_it(read, content):
    assert read(content).max_length == 20


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_seq_length", "40"),
        ("max_seq_length", 40.0),
        ("max_seq_length", True),
        ("do_lower_case", 1),
        ("do_lower_case", "false"),
        ("processing_kwargs", [1]),
        ("tokenizer_args", "fast"),
        ("modality_config", "text"),
    ],
)
def test_a_value_of_another_type_is_refused(read, key, value):
    with pytest.raises(
        CheckpointError, match=f"sentence_bert_config.json whose {key} must be of type"
    ):
        read({key: value})


@pytest.mark.parametrize("limit", [2, 0, -1])
def test_a_limit_without_room_for_a_text_is_refused(read, limit):
    with pytest.raises(CheckpointError, match=f"limits texts to {limit} tokens"):
        read({"max_seq_length": limit})


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"strip_accents": True}, "strip_accents=True"),
        ({"tokenizer_args": {"do_lower_case": True}}, "tokenizer_args.do_lower_case"),
        (
            {"processing_kwargs": {"text": {"add_special_tokens": False}}},
            "text.add_special_tokens=False",
        ),
        ({"processing_kwargs": {"text": {"truncation": False}}}, "text.truncation"),
        (
            {"processor_kwargs": {"truncation_side": "left"}},
            "processor_kwargs.truncation_side='left'",
        ),
    ],
)
def test_settings_that_may_change_tokens_are_refused_by_name(read, content, named):
    with pytest.raises(CheckpointError, match=named):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        NEW,
        {"max_seq_length": None, "do_lower_case": None, "tokenizer_args": None},
        {"query_length": 32, "document_length": 180},
        {"tokenizer_args": {"use_fast": True, "padding_side": "right"}},
    ],
)
def test_settings_that_change_no_tokens_are_accepted(read, content):
    assert read(content) == SentenceConfig()
