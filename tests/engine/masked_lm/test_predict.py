"""Predictions do not depend on other texts, on padding or on memory."""

import json

import pytest
import torch
from masked_lm.making import SENTENCES, make
from safetensors.torch import load_file, save_file

from sklearn_bert.exceptions import DeviceMemoryError


def test_predictions_do_not_depend_on_other_texts(fitted):
    texts = ["the [MASK] film was bad", "[MASK]", "the new [MASK] [MASK] good"]
    together = fitted.fill_mask(texts, top_k=1)
    alone = [fitted.fill_mask([text], top_k=1)[0] for text in texts]
    assert [[[t for t, _ in gap] for gap in gaps] for gaps in together] == [
        [[t for t, _ in gap] for gap in gaps] for gaps in alone
    ]
    assert [len(gaps) for gaps in together] == [1, 1, 2]


def test_padding_rows_of_the_embedding_are_never_predicted(own_bert, texts):
    config = json.loads((own_bert / "config.json").read_text())
    n_tokens = config["vocab_size"]
    weights = load_file(own_bert / "model.safetensors")
    name = next(x for x in weights if x.endswith("word_embeddings.weight"))
    padded = torch.cat([weights[name], torch.randn(4, weights[name].shape[1])])
    save_file(
        {**weights, name: padded}, own_bert / "model.safetensors", {"format": "pt"}
    )
    config["vocab_size"] = n_tokens + 4
    (own_bert / "config.json").write_text(json.dumps(config))
    model = make(model=own_bert, max_steps=1).fit(texts)
    ((gap,),) = model.fill_mask(["a [MASK]"], top_k=n_tokens)
    assert len(gap) == n_tokens
    assert "None" not in {token for token, _ in gap}


def test_memory_errors_change_no_prediction(fitted, shorten_memory):
    texts = ["the [MASK] film was bad", "[MASK]", "the new [MASK] [MASK] good"]
    score, gaps = fitted.score(SENTENCES), fitted.fill_mask(texts)
    start = fitted.vocabulary_["[CLS]"]
    shorten_memory(lambda call, ids: (ids == start).sum() > 1)
    assert fitted.score(SENTENCES) == pytest.approx(score, abs=1e-6)
    for one, other in zip(fitted.fill_mask(texts), gaps, strict=True):
        for gap, same in zip(one, other, strict=True):
            assert dict(gap) == pytest.approx(dict(same), abs=1e-6)


def test_the_error_names_a_text_that_does_not_fit(fitted, shorten_memory):
    fitted.score(SENTENCES)
    shorten_memory(lambda call, ids: True)
    for call in (fitted.score, fitted.fill_mask):
        with pytest.raises(DeviceMemoryError, match=r"A single text of \d tokens does"):
            call(["the old film [MASK]"])
