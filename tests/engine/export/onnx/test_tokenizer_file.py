"""The written tokenizer.json alone gives the ids that the estimators read."""

import json

import pytest
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

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


SPECIAL = AddedToken("<x>", special=True)
WORD, NAME = AddedToken("sequel"), AddedToken("Carol", normalized=False)
# Outside the vocabulary, tokens are numbered in the order in which they were added.
ADDED = {
    "words": [WORD, NAME],
    "special first": [SPECIAL, WORD, NAME],
    "special between": [WORD, SPECIAL, NAME],
    "special last": [WORD, NAME, SPECIAL],
}


@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
def test_added_words_keep_their_ids_and_special_tokens_are_text(
    tokenizer, reopen, added
):
    own = tokenizer(*added)
    texts = [*TEXTS, "the sequel", "Carol<x>sequel [SEP]", "a<x>b", "<x>"]
    expected = own(texts, None, max_length=12, long_text="truncate").ids
    names = {own.names([id_])[0] for row in expected for id_ in row}
    assert {"sequel", "Carol"} < names
    assert "<x>" not in names
    assert ids_of(reopen(own).encode_batch(texts)) == expected


def test_control_tokens_outside_the_vocabulary_are_text(texts, reopen):
    # Added words, control tokens, and added words again, as byte-level models have.
    own = Tokenizer(BPE())
    own.pre_tokenizer = ByteLevel(add_prefix_space=False)
    own.train_from_iterator(
        texts,
        BpeTrainer(initial_alphabet=ByteLevel.alphabet(), show_progress=False),
    )
    own.add_tokens(["   "])
    controls = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    own.add_special_tokens(controls)
    own.add_tokens(["[unused0]", "[unused1]"])
    own.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(name, own.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    own = TextTokenizer(own, has_segments=False)
    typed = [f"a{name}b" for name in [*controls, "   ", "[unused1]"]]
    expected = own(typed, None, max_length=32, long_text="truncate").ids
    assert all(own.controls.isdisjoint(row[1:-1]) for row in expected)
    assert ids_of(reopen(own, 32).encode_batch(typed)) == expected


def test_padding_outside_the_vocabulary_keeps_its_name(tiny_bert, reopen):
    content = json.loads((tiny_bert / "tokenizer.json").read_text())
    content["model"]["vocab"].pop("[PAD]")
    added = content["added_tokens"]
    content["added_tokens"] = [one for one in added if one["content"] != "[PAD]"]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.add_special_tokens(["<pad>"])
    own = TextTokenizer(tokenizer, has_segments=True)
    found = reopen(own).encode_batch(["the film", ""])
    assert found[1].ids[2:] == [own.padding] * 2
    assert found[1].tokens[2:] == ["<pad>"] * 2


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
