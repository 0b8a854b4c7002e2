"""The prompts that a checkpoint declares, and what must not be one."""

import json

import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.sentence_transformers.prompts import (
    Prompts,
    is_text,
    read_prompts,
)
from sklearn_bert.exceptions import CheckpointError

NAMED = {"query": "query: ", "passage": "passage: "}


@pytest.fixture
def read(own_bert):
    """Return a function that writes a configuration and reads its prompts."""

    def read(**content):
        path = own_bert / "config_sentence_transformers.json"
        path.write_text(json.dumps(content))
        return read_prompts(locate(str(own_bert), None))

    return read


def test_a_checkpoint_without_the_file_has_no_prompts(own_bert):
    assert read_prompts(locate(str(own_bert), None)) == Prompts()


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"prompts": {}, "default_prompt_name": None},
        {"prompts": None},
        {"__version__": {}},
    ],
)
def test_a_file_without_prompts_declares_none(read, content):
    assert read(**content) == Prompts()


def test_prompts_have_names_and_a_default(read):
    prompts = read(prompts=NAMED, default_prompt_name="passage")
    assert prompts == Prompts(tuple(NAMED.items()), "passage: ")


def test_the_file_is_a_part_of_the_checkpoint(read, own_bert):
    read(prompts=NAMED)
    digests = locate(str(own_bert), None).digests
    assert "config_sentence_transformers.json" in digests


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("auto", "passage: "),
        ("query", "query: "),
        ("document", ""),
        ("query: ", "query: "),
        ("topic", "topic"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_prompt_is_a_name_or_a_text(prompt, text):
    assert Prompts(tuple(NAMED.items()), "passage: ").resolve(prompt) == text


@pytest.mark.parametrize("name", ["query", "document"])
def test_two_names_are_known_to_every_checkpoint(read, name):
    assert Prompts().resolve(name) == ""
    assert read(prompts={name: None}, default_prompt_name=name).default == ""


def test_prompts_of_other_kinds_of_models_do_not_apply(read):
    content = {"prompts": NAMED, "default_prompt_name": "query"}
    assert read(model_type="CrossEncoder", **content) == Prompts()
    assert read(model_type="SentenceTransformer", **content) != Prompts()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"prompts": ["query: "]}, "whose prompts are not an object"),
        ({"prompts": []}, "whose prompts are not an object"),
        ({"prompts": {"query": 1}}, "whose prompt 'query' is not a text"),
        ({"prompts": {"query": "\ud800"}}, "whose prompt 'query' is not a text"),
        ({"default_prompt_name": "passage"}, "one of 'query', 'document', but is 'pas"),
        ({"prompts": NAMED, "default_prompt_name": 1}, "'passage', but is 1"),
        ({"default_prompt_name": ""}, "but is ''"),
        ({"prompts": {"a": "b" * 100_001}}, "prompt 'a' has 100001 characters"),
    ],
)
def test_prompts_that_are_none_are_refused(read, content, match):
    with pytest.raises(
        CheckpointError, match=f"config_sentence_transformers.json .*{match}"
    ):
        read(**content)


def test_the_error_about_many_prompts_is_short(read):
    names = {str(k) * 50: "" for k in range(1000)}
    with pytest.raises(CheckpointError, match="default_prompt_name") as caught:
        read(prompts=names, default_prompt_name="x" * 1000)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "prompts",
    [
        Prompts(),
        Prompts(tuple(NAMED.items())),
        Prompts(tuple(NAMED.items()), "query: "),
    ],
)
def test_written_prompts_are_read_again(read, prompts):
    assert read(**prompts.to_json()) == prompts


def test_a_default_without_a_name_gets_one(read):
    assert read(**Prompts().with_default("title: ").to_json()).default == "title: "


def test_a_default_without_a_name_replaces_no_declared_prompt(read):
    named = (("default", "a: "), ("default_", "b: "))
    prompts = read(**Prompts(named).with_default("title: ").to_json())
    assert prompts.default == "title: "
    assert prompts.named[:2] == named


@pytest.mark.parametrize(
    ("value", "expected"), [("a", True), ("", True), ("\udcff", False), (1, False)]
)
def test_texts_can_be_encoded(value, expected):
    assert is_text(value) is expected
