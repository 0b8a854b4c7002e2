"""transformers opens the model and the tokenizer with equal outputs."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from sklearn_bert import BertTokenizer, BertVectorizer
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.export.transformers_files import (
    add_pooler,
    write_model,
    write_tokenizer,
)


@pytest.fixture
def checkpoint(tiny_bert):
    return load(locate(str(tiny_bert), None))


def test_a_model_has_the_states_of_the_checkpoint(checkpoint, tmp_path):
    write_model(checkpoint.model, tmp_path)
    model = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False)
    assert model.config.output_hidden_states is False
    ids = torch.tensor([[2, 20, 21, 3]])
    with torch.inference_mode():
        expected = checkpoint.model(ids).last_hidden_state
        assert torch.equal(model(ids).last_hidden_state, expected)


def test_a_model_puts_out_all_layers_on_request(checkpoint, tmp_path):
    write_model(checkpoint.model, tmp_path, with_all_layers=True)
    model = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False)
    assert len(model(torch.tensor([[2, 3]])).hidden_states) == 4


def test_an_added_pooler_is_not_random(checkpoint, tmp_path):
    add_pooler(checkpoint.model)
    write_model(checkpoint.model, tmp_path)
    model, info = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert not model(torch.tensor([[2, 3]])).pooler_output.any()


def test_a_class_without_a_pooler_gets_none(save_model, tmp_path):
    folder = save_model(tmp_path, "distilbert", dim=32, n_layers=3, n_heads=4)
    model = load(locate(str(folder), None)).model
    add_pooler(model)
    assert not hasattr(model, "pooler")


@pytest.mark.parametrize("limit", [None, 16])
def test_a_tokenizer_gives_the_ids_of_texts_and_pairs(checkpoint, tmp_path, limit):
    write_tokenizer(checkpoint.tokenizer, tmp_path, limit)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    first = ["a good film", "Über!"]
    second = ["the bad plot", ""]
    found = tokenizer(first, second)
    sequences = checkpoint.tokenizer(first, second, max_length=64, long_text="truncate")
    assert found["input_ids"] == sequences.ids
    assert set(found) == {"input_ids", "token_type_ids", "attention_mask"}
    if limit:
        assert tokenizer.model_max_length == limit
    assert tokenizer.pad_token == "[PAD]"


def test_special_tokens_in_a_text_are_text_unless_masks_are_read(checkpoint, tmp_path):
    text = "a [SEP] good [MASK]"
    (expected,) = checkpoint.tokenizer.split([text])
    for reads_masks in (False, True):
        write_tokenizer(checkpoint.tokenizer, tmp_path, 64, reads_masks=reads_masks)
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
        ids = tokenizer(text)["input_ids"]
        assert (ids[1:-1] == expected) != reads_masks
        assert (tokenizer.mask_token_id in ids) == reads_masks


def test_the_class_of_a_tokenizer_is_known_to_every_version(checkpoint, tmp_path):
    write_tokenizer(checkpoint.tokenizer, tmp_path, None)
    content = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert content["tokenizer_class"] == "PreTrainedTokenizerFast"


def test_a_saved_tokenizer_needs_no_model(tiny_bert, texts, tmp_path):
    tokenizer = BertTokenizer(tiny_bert).fit(texts)
    tokenizer.save_pretrained(tmp_path / "saved")
    found = AutoTokenizer.from_pretrained(tmp_path / "saved")(
        texts, padding=True, return_tensors="np"
    )
    np.testing.assert_array_equal(found["input_ids"], tokenizer.transform(texts))


def test_a_learned_vocabulary_is_saved(texts, tmp_path):
    tokenizer = BertTokenizer(vocab_size=100).fit(texts)
    tokenizer.save_pretrained(tmp_path / "saved")
    found = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert found.get_vocab() == tokenizer.vocabulary_
    ids = found(texts, padding=True, return_tensors="np")["input_ids"]
    np.testing.assert_array_equal(ids, tokenizer.transform(texts))


def test_the_model_of_a_vectorizer_opens_in_transformers(tiny_bert, texts, tmp_path):
    vectorizer = BertVectorizer(tiny_bert, pooling="cls").fit(texts)
    vectorizer.save_pretrained(tmp_path / "saved")
    model = AutoModel.from_pretrained(tmp_path / "saved", add_pooling_layer=False)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "saved")
    with torch.inference_mode():
        inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        states = model(**inputs).last_hidden_state[:, 0]
    np.testing.assert_allclose(vectorizer.transform(texts), states, atol=1e-5)
