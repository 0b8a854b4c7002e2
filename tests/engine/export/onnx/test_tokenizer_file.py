"""The written tokenizer.json alone gives the ids that the estimators read."""

import json

import pytest
from tokenizers import AddedToken, Tokenizer

from sklearn_bert._engine.export.onnx.tokenizer_file import write_tokenizer_file
from sklearn_bert._engine.text.tokenizer import TextTokenizer

TEXTS = ["", "the film", "a [SEP] in [CLS] a text", "good " * 20, "not [MASK]ed"]


@pytest.fixture
def tokenizer(tiny_bert):
    """Return a function that makes the tokenizer, with further added tokens."""

    def make(*added):
        own = Tokenizer.from_file(str(tiny_bert / "tokenizer.json"))
        own.add_tokens(list(added))
        return TextTokenizer(own, has_segments=True)

    return make


@pytest.fixture
def reopen(tmp_path):
    """Return a function that writes a tokenizer and opens the file."""

    def write(tokenizer, max_length=12):
        path = tmp_path / "tokenizer.json"
        write_tokenizer_file(tokenizer, path, max_length)
        return Tokenizer.from_file(str(path))

    return write


def ids_of(encodings):
    return [
        [id_ for id_, used in zip(one.ids, one.attention_mask, strict=True) if used]
        for one in encodings
    ]


def test_special_tokens_in_texts_are_text(tokenizer, reopen):
    own = tokenizer()
    expected = own(TEXTS, None, max_length=12, long_text="truncate").ids
    assert ids_of(reopen(own).encode_batch(TEXTS)) == expected
    assert max(map(len, expected)) == 12


@pytest.mark.parametrize("max_length", [6, 7, 12, 13])
def test_pairs_are_truncated_in_the_same_way(tokenizer, reopen, max_length):
    own = tokenizer()
    pairs = [(a, b) for a in TEXTS for b in TEXTS]
    first, second = zip(*pairs, strict=True)
    expected = own(first, second, max_length=max_length, long_text="truncate")
    found = reopen(own, max_length).encode_batch(pairs)
    assert ids_of(found) == expected.ids
    assert [
        one.type_ids.count(0) - one.attention_mask.count(0) for one in found
    ] == expected.second_starts


def test_shorter_texts_are_padded_on_the_right(tokenizer, reopen):
    found = reopen(tokenizer()).encode_batch(["the film", ""])
    assert found[1].attention_mask == [1, 1, 0, 0]
    assert found[1].tokens[2:] == ["[PAD]", "[PAD]"]


@pytest.mark.parametrize("is_after_special", [False, True])
def test_added_words_keep_their_ids(tokenizer, reopen, is_after_special):
    # Outside the vocabulary, tokens are numbered in the order in which they were added.
    special = [AddedToken("<x>", special=True)] * is_after_special
    own = tokenizer(*special, AddedToken("sequel"))
    (id_,) = own.split(["sequel"])[0]
    assert id_ in reopen(own).encode("the sequel").ids


def test_a_vocabulary_without_padding_gets_a_masked_id(tiny_bert, reopen):
    content = json.loads((tiny_bert / "tokenizer.json").read_text())
    content["model"]["vocab"].pop("[PAD]")
    added = content["added_tokens"]
    content["added_tokens"] = [one for one in added if one["content"] != "[PAD]"]
    own = TextTokenizer(Tokenizer.from_str(json.dumps(content)), has_segments=True)
    assert own.padding is None
    found = reopen(own).encode_batch(["the film", ""])
    assert found[1].ids[2:] == [0, 0]
    assert found[1].attention_mask == [1, 1, 0, 0]
