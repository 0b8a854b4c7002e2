"""Settings that versions before complete records did not read, and so did not apply."""

import json

import pytest

from sklearn_bert._engine.checkpoints.earlier import find_new_settings
from sklearn_bert._engine.checkpoints.files.locate import locate

PROMPTS = "config_sentence_transformers.json"
BERT, ROBERTA = "sentence_bert_config.json", "sentence_roberta_config.json"
TOKENIZER = "tokenizer_config.json"


@pytest.fixture
def find(own_bert, declare):
    """Return a function that writes files, and finds what was not read of them."""

    def find(contents, *, read_then=()):
        declare(own_bert, {"pooling_mode": "mean"})
        for name, content in contents.items():
            (own_bert / name).write_text(json.dumps(content))
        return find_new_settings(locate(str(own_bert), None), dict.fromkeys(read_then))

    return find


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ({PROMPTS: {"truncate_dim": 3}}, ["truncate_dim=3"]),
        ({BERT: {"do_lower_case": True}}, ["do_lower_case=True"]),
        ({ROBERTA: {"do_lower_case": True}}, ["do_lower_case=True"]),
        ({ROBERTA: {"max_seq_length": 9}}, ["a maximum length of 9"]),
        # A longer one than that of the tokenizer was not used.
        (
            {TOKENIZER: {"model_max_length": 9}, BERT: {"max_seq_length": 12}},
            ["a maximum length of 12"],
        ),
        (
            {BERT: {"tokenizer_args": {"model_max_length": 9}}},
            ["a maximum length of 9"],
        ),
    ],
)
def test_what_changes_the_features_is_found(find, contents, expected):
    assert find(contents) == expected


@pytest.mark.parametrize(
    "contents",
    [
        {},
        # Prompts do not apply to estimators of these versions.
        {PROMPTS: {"prompts": {"a": "b"}, "default_prompt_name": "a"}},
        {BERT: {"max_seq_length": 9, "do_lower_case": False}},
        {ROBERTA: {"max_seq_length": None}},
        {TOKENIZER: {"model_max_length": 9}},
        {TOKENIZER: {"model_max_length": 9}, ROBERTA: {"max_seq_length": 9}},
        {TOKENIZER: {"model_max_length": 1e30}},
    ],
)
def test_what_changes_no_features_is_not_found(find, contents):
    assert find(contents) == []


def test_a_version_that_read_the_file_of_the_prompts_read_everything(find):
    contents = {PROMPTS: {"truncate_dim": 3}, BERT: {"do_lower_case": True}}
    assert find(contents, read_then=[PROMPTS]) == []
