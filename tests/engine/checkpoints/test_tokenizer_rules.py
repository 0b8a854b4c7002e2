"""Tokenizers that would need unbounded time or memory are refused, public ones not."""

import base64
import json

import pytest

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_tokenizer
from sklearn_bert.exceptions import CheckpointError


def load_with(folder, **changes):
    path = folder / "tokenizer.json"
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps(content))
    return load_tokenizer(locate(str(folder), None))


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def sequence(*normalizers):
    return {"type": "Sequence", "normalizers": list(normalizers)}


def charsmap(text):
    table = (4).to_bytes(4, "little") + bytes(4) + text.encode() + b"\0"
    return {
        "type": "Precompiled",
        "precompiled_charsmap": base64.b64encode(table).decode(),
    }


@pytest.mark.parametrize(
    ("normalizer", "message"),
    [
        (replace("", "x"), "a pattern that is empty"),
        (replace("a", "b" * 10**6), "a replacement that is too long"),
        (sequence(*[replace("a", "aaaa")] * 8), "a text 65536 times longer"),
        (sequence(sequence(*[replace("a", "aaaa")] * 8)), "a text 65536 times longer"),
        (replace("x*", "y" * 100, "Regex"), "a text 101 times longer"),
        (replace("(a+)+b", "", "Regex"), "may backtrack"),
        (sequence(*[{"type": "NFC"}] * 1000), "1001 components"),
        ({"type": "Unheard"}, "a normalizer of type 'Unheard'"),
        ({"type": "Prepend", "prepend": "x" * 10**6}, "a replacement that is too"),
        (charsmap("x" * 10**6), "a replacement that is too long"),
        ({"type": "Precompiled", "precompiled_charsmap": 3}, "that is damaged"),
        ({"type": "Replace", "pattern": 3, "content": ""}, "a pattern that is empty"),
    ],
)
def test_normalizers_that_multiply_a_text_are_refused(own_bert, normalizer, message):
    with pytest.raises(CheckpointError, match=message):
        load_with(own_bert, normalizer=normalizer)


def split(regex):
    return {
        "type": "Split",
        "pattern": {"Regex": regex},
        "behavior": "Isolated",
        "invert": False,
    }


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+b",
        "(a|a)*b",
        "(?:a|aa){2,}b",
        "((a{1,99}){1,99}){1,99}b",
        r"([a-z]+)\1+",
        r"(?<x>a|b\g<x>)",
        "a*a*a*a*b",
        "a{0,99}a{0,99}a{0,99}a{0,99}b",
        "x" * 3000,
    ],
)
def test_regular_expressions_that_backtrack_are_refused(own_bert, regex):
    with pytest.raises(CheckpointError, match=r"may backtrack|is empty or too long"):
        load_with(own_bert, pre_tokenizer=split(regex))


# Of GPT-2, GPT-4, GPT-4o and DeBERTa.
PUBLIC = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r" {2,}",
]


@pytest.mark.parametrize("regex", PUBLIC)
def test_regular_expressions_of_public_models_are_accepted(own_bert, regex):
    tokenizer = load_with(own_bert, pre_tokenizer=split(regex))
    assert len(tokenizer.split(["a good film", "it was"])) == 2


def test_normalizers_of_public_models_are_accepted(own_bert):
    normalizer = sequence(
        replace("``", '"'),
        replace(" {2,}", " ", "Regex"),
        {"type": "NFKD"},
        {"type": "StripAccents"},
        {"type": "Lowercase"},
        {"type": "Prepend", "prepend": "\u2581"},
        replace(" ", "\u2581"),
    )
    assert load_with(own_bert, normalizer=normalizer).vocab_size > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
        {"post_processor": {"type": "Unheard"}},
        {"decoder": {"type": ["Fuse"]}},
        {"added_tokens": {"id": 3}},
        {"added_tokens": [{"id": 10**9, "content": "x"}]},
        {"added_tokens": [{"id": 5, "content": "x"}] * 150_000},
        {"added_tokens": [3]},
    ],
)
def test_other_parts_are_checked_too(own_bert, changes):
    with pytest.raises(CheckpointError, match=r"has a tokenizer.json with"):
        load_with(own_bert, **changes)


@pytest.mark.parametrize("id_", ["9" * 5000, "-1", "1.5", ""])
def test_added_tokens_have_short_ids(own_bert, id_):
    content = {"added_tokens_decoder": {id_: {"content": "x"}}}
    (own_bert / "tokenizer_config.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="an added token of id"):
        load_tokenizer(locate(str(own_bert), None))


@pytest.mark.parametrize(
    "processor",
    [
        {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}},
        {"type": "BertProcessing", "sep": ["[SEP]", -1], "cls": ["[CLS]", 2]},
    ],
)
def test_templates_that_cannot_be_used_are_refused(own_bert, processor):
    # Of a class that uses the processor of the file.
    (own_bert / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "PreTrainedTokenizerFast"}'
    )
    with pytest.raises(CheckpointError, match=r"has (no|a) (fast )?tokenizer that can"):
        load_with(own_bert, post_processor=processor)


@pytest.mark.parametrize("part", ["single", "pair"])
def test_templates_of_many_special_tokens_are_refused(own_bert, part):
    token = {"id": "[CLS]", "ids": [2] * 10_000, "tokens": ["[CLS]"] * 10_000}
    processor = {
        "type": "TemplateProcessing",
        "single": [],
        "pair": [],
        "special_tokens": {"[CLS]": token},
        part: [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}] * 10_000,
    }
    with pytest.raises(CheckpointError, match="a template of 100000000 tokens"):
        load_with(own_bert, post_processor=processor)
