"""BertMaskedLM fills gaps."""

import json

import pytest
import torch
from masked_lm.making import make
from safetensors.torch import load_file, save_file

from sklearn_bert.exceptions import (
    InputError,
)


def test_gaps_are_marked_as_asked_for(fitted):
    first = fitted.fill_mask(["the ___ film"], mask="___")
    assert first == fitted.fill_mask(["the [MASK] film"])
    (((_, share), *_),) = first[0]
    assert len(first[0][0]) == 5
    assert 0 < share <= 1


def test_guesses_do_not_depend_on_the_other_texts(fitted):
    texts = ["the [MASK] film was bad", "[MASK]", "the new [MASK] [MASK] good"]
    together = fitted.fill_mask(texts, top_k=1)
    alone = [fitted.fill_mask([text], top_k=1)[0] for text in texts]
    assert [[[t for t, _ in gap] for gap in gaps] for gaps in together] == [
        [[t for t, _ in gap] for gap in gaps] for gaps in alone
    ]
    assert [len(gaps) for gaps in together] == [1, 1, 2]


def test_a_text_without_a_gap_is_refused(fitted):
    with pytest.raises(InputError, match=r"must contain the gap '\[MASK\]'"):
        fitted.fill_mask(["the film"])


def test_gaps_in_pairs_are_refused(fitted):
    with pytest.raises(InputError, match=r"must have one column of texts\. Got two"):
        fitted.fill_mask([("the [MASK]", "film [MASK]")])


@pytest.mark.parametrize(
    "wrong",
    [{"top_k": x} for x in (0, -1, 2.5, "a", None)] + [{"mask": None}, {"mask": 3}],
)
def test_wrong_arguments_of_gaps_are_refused(fitted, wrong):
    (name,) = wrong
    words = f"The '{name}' parameter of BertMaskedLM.fill_mask must be"
    with pytest.raises(ValueError, match=words):
        fitted.fill_mask(["the [MASK]"], **wrong)


def test_a_text_that_is_too_long_for_its_gap_is_refused(fitted):
    with pytest.raises(InputError, match="at most 128 tokens"):
        fitted.fill_mask(["film " * 200 + "[MASK]"])


def test_rows_that_only_fill_the_matrix_up_are_never_guessed(own_bert, texts):
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
