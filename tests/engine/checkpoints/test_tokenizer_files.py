"""The tokenizer is made from the hashed files, and from what is known in them."""

import json

import pytest

from sklearn_bert._engine.checkpoints.config_files import read_config
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_tokenizer
from sklearn_bert._engine.checkpoints.tokenizer_files import read_tokenizer
from sklearn_bert.exceptions import CheckpointError


def tokenizer_of(folder):
    files = locate(str(folder), None)
    return read_tokenizer(files, read_config(files))


def edit(path, **changes):
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**content, **changes}))


def reverse_vocabulary(content):
    vocabulary = content["model"]["vocab"]
    ids = sorted(vocabulary.values())
    content["model"]["vocab"] = dict(zip(vocabulary, ids[::-1], strict=True))


@pytest.mark.parametrize("place", [".", ".."])
@pytest.mark.parametrize(
    "key", ["fast_tokenizer_files", "tokenizer_file", "name_or_path"]
)
def test_files_that_the_configuration_names_are_not_read(own_bert, place, key):
    expected = tokenizer_of(own_bert).to_str()
    content = json.loads(expected)
    reverse_vocabulary(content)
    other = own_bert / place / "tokenizer.4.0.0.json"
    other.write_text(json.dumps(content))
    name = f"{place}/tokenizer.4.0.0.json"
    value = [name] if key == "fast_tokenizer_files" else name
    edit(own_bert / "tokenizer_config.json", **{key: value})
    assert tokenizer_of(own_bert).to_str() == expected


def test_code_templates_and_unknown_files_are_not_read(own_bert):
    expected = tokenizer_of(own_bert).to_str()
    edit(
        own_bert / "tokenizer_config.json",
        auto_map={"AutoTokenizer": ["evil.T", "evil.T"]},
        sp_model_kwargs={"model_file": "/etc/passwd"},
        chat_template="{{ 1 }}",
        init_inputs=["x"],
    )
    (own_bert / "evil.py").write_text("raise SystemExit('ran')")
    (own_bert / "chat_template.jinja").write_text("{{ 1 }}")
    (own_bert / "additional_chat_templates").mkdir()
    assert tokenizer_of(own_bert).to_str() == expected


def test_settings_that_are_known_are_used(own_bert):
    (own_bert / "tokenizer.json").unlink()
    edit(own_bert / "tokenizer_config.json", do_lower_case=False)
    normalizer = json.loads(tokenizer_of(own_bert).to_str())["normalizer"]
    assert normalizer["lowercase"] is False


def test_lengths_in_the_file_are_not_used(own_bert):
    padding = {
        "strategy": {"Fixed": 10**12},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    edit(own_bert / "tokenizer.json", padding=padding)
    assert tokenizer_of(own_bert).padding is None


def test_tokens_are_not_random(own_bert):
    model = {
        "type": "BPE",
        "dropout": 0.5,
        "unk_token": "[UNK]",
        "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "aa": 5},
        "merges": [["a", "a"]],
    }
    edit(own_bert / "tokenizer.json", model=model, added_tokens=[])
    edit(own_bert / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    tokenizer = tokenizer_of(own_bert)
    assert tokenizer.model.dropout is None
    found = {tuple(tokenizer.encode("aa" * 20).tokens) for _ in range(5)}
    assert found == {("[CLS]", *("aa",) * 20, "[SEP]")}


def test_a_file_that_changed_is_refused(own_bert):
    files = locate(str(own_bert), None)
    config = read_config(files)
    with open(own_bert / "vocab.txt", "a") as file:
        file.write("\n")
    with pytest.raises(CheckpointError, match=r"has a vocab.txt that changed while"):
        read_tokenizer(files, config)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("added_tokens.json", {"x": 10**9}),
        ("added_tokens.json", {"x": -1}),
        ("added_tokens.json", {"x": None}),
        (
            "tokenizer_config.json",
            {"added_tokens_decoder": {str(10**9): {"content": "x"}}},
        ),
    ],
)
def test_added_tokens_without_a_row_are_refused(own_bert, name, changes):
    edit(own_bert / name, **changes)
    with pytest.raises(CheckpointError, match=f"has a {name} with an added token of"):
        tokenizer_of(own_bert)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("added_tokens.json", {f"x{k}": 5 for k in range(150_000)}),
        (
            "tokenizer_config.json",
            {"extra_special_tokens": [f"x{k}" for k in range(150_000)]},
        ),
        (
            "special_tokens_map.json",
            {"additional_special_tokens": [f"x{k}" for k in range(150_000)]},
        ),
    ],
)
def test_too_many_added_tokens_are_refused(own_bert, name, changes):
    edit(own_bert / name, **changes)
    with pytest.raises(CheckpointError, match=f"has a {name} "):
        tokenizer_of(own_bert)


def only_vocabulary(folder):
    """Let the folder have no tokenizer file but vocab.txt; return its lines."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    return (folder / "vocab.txt").read_text().split("\n")


def test_a_vocabulary_of_lines_is_read(own_bert):
    expected = load_tokenizer(locate(str(own_bert), None)).vocabulary
    only_vocabulary(own_bert)
    assert load_tokenizer(locate(str(own_bert), None)).vocabulary == expected


@pytest.mark.parametrize("kind", ["lost", "twice"])
def test_a_vocabulary_with_a_line_lost_or_twice_is_refused(own_bert, kind):
    lines = only_vocabulary(own_bert)
    lines[20:21] = [] if kind == "lost" else [lines[19]]
    (own_bert / "vocab.txt").write_text("\n".join(lines))
    with pytest.raises(CheckpointError, match="does not match its embedding matrix"):
        load_tokenizer(locate(str(own_bert), None))


@pytest.mark.parametrize("word", ["[CLS]", "[SEP]", "[PAD]"])
def test_a_special_token_that_the_vocabulary_lost_is_refused(own_bert, word):
    path = own_bert / "tokenizer.json"
    content = json.loads(path.read_text())
    del content["model"]["vocab"][word]
    path.write_text(json.dumps(content))
    with pytest.raises(
        CheckpointError, match=rf"added token '\{word[:-1]}\]' of id \d"
    ):
        load_tokenizer(locate(str(own_bert), None))


@pytest.mark.parametrize("id_", [True, 2.0, "2", None, [2]])
def test_ids_of_words_are_integers(own_bert, id_):
    path = own_bert / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"]["film"] = id_
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"with the id .* of 'film'"):
        load_tokenizer(locate(str(own_bert), None))


def test_two_words_of_one_id_are_refused(own_bert):
    content = json.loads((own_bert / "tokenizer.json").read_text())
    content["model"]["vocab"]["film"] = content["model"]["vocab"]["plot"]
    edit(own_bert / "tokenizer.json", model=content["model"])
    with pytest.raises(CheckpointError, match="two words of the same id"):
        tokenizer_of(own_bert)


def test_two_words_of_one_id_in_a_vocabulary_are_refused(own_bert):
    (own_bert / "vocab.json").write_text('{"a": 3, "b": 3}')
    with pytest.raises(CheckpointError, match=r"has a vocab.json with two words of"):
        tokenizer_of(own_bert)


def test_special_tokens_without_a_row_are_refused(own_bert):
    content = json.loads((own_bert / "tokenizer.json").read_text())
    processor = content["post_processor"]
    processor["special_tokens"]["[CLS]"]["ids"] = [10**6]
    edit(own_bert / "tokenizer.json", post_processor=processor)
    edit(own_bert / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    with pytest.raises(CheckpointError, match="does not match its embedding matrix"):
        load_tokenizer(locate(str(own_bert), None))


def test_more_special_tokens_than_positions_are_refused(own_bert):
    content = json.loads((own_bert / "tokenizer.json").read_text())
    processor = content["post_processor"]
    processor["single"] = processor["single"][:1] * 70 + processor["single"][1:]
    processor["pair"] = processor["pair"][:1] * 70 + processor["pair"][1:]
    edit(own_bert / "tokenizer.json", post_processor=processor)
    edit(own_bert / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    with pytest.raises(CheckpointError, match=r"72 special tokens .* only 64 pos"):
        load_tokenizer(locate(str(own_bert), None))
