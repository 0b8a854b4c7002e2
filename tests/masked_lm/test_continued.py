"""BertMaskedLM continues pre-training from a checkpoint."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from masked_lm.making import SENTENCES, make
from sklearn_bert import BertTokenizer, BertVectorizer
from sklearn_bert.exceptions import (
    CheckpointError,
)


def test_it_continues_from_a_checkpoint(tiny_bert, texts):
    model = make(model=tiny_bert, n_epochs=3).fit(texts)
    assert model.checkpoint_.source == "directory"
    assert model.max_length_ == 64
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.vocabulary_ == BertTokenizer(tiny_bert).fit(texts).vocabulary_


def test_it_continues_from_another_masked_lm(fitted):
    again = make(model=fitted, max_steps=1, learning_rate=1e-12).fit(SENTENCES)
    assert again.checkpoint_.source == "estimator"
    np.testing.assert_allclose(
        BertVectorizer(again).transform(SENTENCES[:8]),
        BertVectorizer(fitted).transform(SENTENCES[:8]),
        atol=1e-5,
    )


def test_the_head_of_another_masked_lm_is_used(fitted):
    for model in (fitted, FrozenEstimator(fitted)):
        again = make(model=model, max_steps=1, learning_rate=1e-12).fit(SENTENCES)
        assert again.score(SENTENCES) == pytest.approx(
            fitted.score(SENTENCES), abs=1e-4
        )


def test_the_head_of_a_checkpoint_is_used(fitted, tmp_path):
    fitted.save_pretrained(tmp_path / "model")
    again = make(model=tmp_path / "model", max_steps=1, learning_rate=1e-12)
    again.fit(SENTENCES)
    assert again.score(SENTENCES) == pytest.approx(fitted.score(SENTENCES), abs=1e-4)


def test_a_checkpoint_without_a_mask_token_is_refused(own_bert):
    path = own_bert / "tokenizer.json"
    content = path.read_text().replace("[MASK]", "[GAP]")
    path.write_text(content)
    path = own_bert / "tokenizer_config.json"
    path.write_text(path.read_text().replace("[MASK]", "[GAP]"))
    with pytest.raises(CheckpointError, match="must have a mask token"):
        make(model=own_bert).fit(["a film"])


def test_a_model_that_is_refitted_during_fit_is_read_once():
    start = make(max_steps=1).fit(SENTENCES)
    digest = start.encoder_.digest

    def texts():
        start.set_params(n_layers=2).fit(SENTENCES)
        yield from SENTENCES

    again = make(model=start, max_steps=1, learning_rate=1e-12).fit(texts())
    assert again.checkpoint_.digests == {"weights": digest}
    assert len(again.encoder_.weights) < len(start.encoder_.weights)


def test_parameters_set_while_the_texts_are_read_do_not_apply():
    model = make(max_steps=2)

    def texts():
        model.set_params(max_steps=9, dtype="nonsense")
        yield from SENTENCES

    assert model.fit(texts()).n_steps_ == 2
