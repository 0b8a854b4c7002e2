"""The folder of a masked language model can be used by every estimator."""

import json

import numpy as np
from masked_lm.making import SENTENCES, make

from sklearn_bert import BertTokenizer, BertVectorizer


def test_a_saved_folder_gives_the_same_features(fitted, tmp_path):
    folder = tmp_path / "below" / "model"
    fitted.save_pretrained(folder)
    np.testing.assert_array_equal(
        BertVectorizer(folder).transform(SENTENCES[:8]),
        BertVectorizer(fitted).transform(SENTENCES[:8]),
    )
    tricky = ["[SEP] Über  das Film", "wasn't"]
    np.testing.assert_array_equal(
        BertTokenizer(folder).fit_transform(tricky),
        BertTokenizer(fitted).fit_transform(tricky),
    )
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_the_folder_preserves_lowercase(tmp_path):
    model = make(lowercase=False, max_steps=1).fit(["Das Wort und das Wort"] * 9)
    model.save_pretrained(tmp_path / "model")
    tokenizer = BertTokenizer(tmp_path / "model").fit(["Das das"])
    assert tokenizer.inverse_transform(tokenizer.transform(["Das das"])) == ["Das das"]


def test_the_folder_preserves_pooling_and_max_length(
    own_bert, declare, texts, tmp_path
):
    declare(own_bert, {"pooling_mode_mean_tokens": True})
    (own_bert / "sentence_bert_config.json").write_text('{"max_seq_length": 40}')
    make(model=own_bert, max_steps=1).fit(texts).save_pretrained(tmp_path / "out")
    vectorizer = BertVectorizer(tmp_path / "out").fit(texts)
    assert (vectorizer.pooling_, vectorizer.max_length_) == ("mean", 40)


def test_the_folder_of_a_new_model_declares_mean_pooling(fitted, tmp_path):
    fitted.save_pretrained(tmp_path / "model")
    for model in (fitted, tmp_path / "model"):
        assert BertVectorizer(model).fit(["a film"]).pooling_ == "mean"


def test_an_empty_folder_is_filled_and_not_replaced(fitted, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    fitted.save_pretrained(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "config.json").exists()
    assert not [path for path in (tmp_path / "real").iterdir() if path.name[0] == "."]


def test_declared_prompts_survive_the_folder(own_bert, texts, tmp_path):
    content = {"prompts": {"title": "film: "}, "default_prompt_name": "title"}
    (own_bert / "config_sentence_transformers.json").write_text(json.dumps(content))
    model = make(model=own_bert, max_steps=1).fit(texts)
    model.save_pretrained(tmp_path / "out")
    for source in (model, tmp_path / "out"):
        assert BertVectorizer(source).fit(texts).prompt_ == "film: "
