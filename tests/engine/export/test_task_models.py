"""A task model of transformers has the outputs of an estimator, or there is none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.source import load
from sklearn_bert._engine.encoding.resolve import resolve_encoder
from sklearn_bert._engine.export.contents import EncoderExport, LabeledHead
from sklearn_bert._engine.export.task_models import describe, make_task_model

RNG = np.random.RandomState(0)


def head_of(n_outputs, scale=1.0, bias=0.0, task="text-classification"):
    coef = scale * RNG.standard_normal((n_outputs, 32))
    labels = tuple(f"label {k}" for k in range(n_outputs))
    intercept = bias + RNG.standard_normal(n_outputs)
    return LabeledHead(task, "single_label_classification", labels, coef, intercept)


def make(folder, head, pooling="cls", long_text="truncate", prompt=None):
    resolved = resolve_encoder(
        locate(str(folder), None),
        "tiny",
        1,
        pooling=pooling,
        max_length=None,
        long_text=long_text,
        prompt=prompt,
    )
    export = EncoderExport(resolved, head=head)
    return make_task_model(export, load(resolved.source))


def logits_of(whole, ids):
    with torch.inference_mode():
        return whole(torch.tensor([ids])).logits[0].double().numpy()


def expected_logits(folder, head, ids):
    model = load(locate(str(folder), None)).model.double()
    with torch.inference_mode():
        state = model(torch.tensor([ids])).last_hidden_state[0, 0].numpy()
    return head.coef @ state + head.intercept


IDS = [2, 20, 31, 42, 3]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("bias", [0.0, 1e6])
def test_outputs_of_any_scale_are_passed_on(tiny_bert, scale, bias):
    head = head_of(2, scale, bias)
    whole = make(tiny_bert, head)
    expected = expected_logits(tiny_bert, head, IDS)
    rounding = 1e-6 * (abs(expected).max() + scale)
    np.testing.assert_allclose(logits_of(whole, IDS), expected, atol=rounding)


@pytest.mark.parametrize("model_type", ["distilbert", "electra"])
def test_activations_pass_each_output_and_its_negative(
    save_model, tmp_path, model_type
):
    folder = save_model(
        tmp_path, model_type, dim=32, n_layers=3, n_heads=4, hidden_dim=48
    )
    head = head_of(16)
    whole = make(folder, head)
    expected = expected_logits(folder, head, IDS)
    np.testing.assert_allclose(logits_of(whole, IDS), expected, atol=1e-4)
    # More outputs than half of the hidden layer do not fit into it.
    assert make(folder, head_of(17)) is None


def test_half_precision_is_enough(tiny_bert):
    head = head_of(3)
    whole = make(tiny_bert, head).to(torch.bfloat16)
    expected = expected_logits(tiny_bert, head, IDS)
    found = logits_of(whole, IDS)
    np.testing.assert_allclose(found, expected, atol=0.03 * abs(expected).max())


@pytest.mark.parametrize(
    "changes",
    [
        {"pooling": "mean"},
        {"pooling": "max"},
        {"long_text": "window"},
        {"long_text": "head_tail"},
        {"prompt": "query: "},
    ],
    ids=["mean", "max", "window", "head_tail", "prompt"],
)
def test_there_is_none_for_another_computation(tiny_bert, changes):
    assert make(tiny_bert, head_of(2), **changes) is None


def test_there_is_none_for_outputs_that_are_not_finite(tiny_bert):
    head = head_of(2)
    assert make(tiny_bert, replace(head, coef=head.coef * np.inf)) is None


def test_words_need_no_hidden_layer(tiny_bert):
    head = head_of(40, task="token-classification")
    whole = make(tiny_bert, head, pooling=None)
    assert type(whole).__name__ == "BertForTokenClassification"
    assert isinstance(whole.classifier, nn.Linear)


def test_the_configuration_names_the_outputs(tiny_bert):
    checkpoint = load(locate(str(tiny_bert), None))
    config = describe(checkpoint, head_of(2))
    assert config.num_labels == 2
    assert config.label2id == {"label 0": 0, "label 1": 1}
    assert checkpoint.model.config.id2label != config.id2label
