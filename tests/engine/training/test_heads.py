"""The linear head, and the losses of its outputs."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sklearn_bert._engine.training.heads import (
    LinearHead,
    NumberLoss,
    SigmoidLoss,
    SoftmaxLoss,
)

OUTPUTS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0]])


def test_a_head_is_a_linear_layer():
    head = LinearHead(np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([0.5, 0.0]))
    np.testing.assert_allclose(head(np.array([[3.0, 1.0]])), [[5.5, -1.0]])


def test_a_head_survives_conversion_to_a_module():
    head = LinearHead(np.array([[0.1, 0.2]]), np.array([0.3]))
    module = head.to_module(torch.device("cpu"), torch.float64)
    again = LinearHead.from_module(module)
    assert np.array_equal(again.coef, head.coef)
    assert np.array_equal(again.intercept, head.intercept)


def test_a_module_draws_nothing_from_the_global_generator():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    LinearHead(np.ones((3, 4)), np.ones(3)).to_module(
        torch.device("cpu"), torch.float32
    )
    assert torch.equal(torch.rand(1), expected)


def test_softmax_loss_is_the_negative_log_probability():
    losses = SoftmaxLoss()(OUTPUTS, torch.tensor([0, 2]))
    expected = -F.log_softmax(OUTPUTS, 1)[[0, 1], [0, 2]]
    torch.testing.assert_close(losses, expected)


def test_smoothing_spreads_the_target_over_all_classes():
    losses = SoftmaxLoss(0.3)(OUTPUTS, torch.tensor([0, 2]))
    target = torch.full((2, 3), 0.1)
    target[[0, 1], [0, 2]] += 0.7
    torch.testing.assert_close(losses, -(target * F.log_softmax(OUTPUTS, 1)).sum(1))


def test_sigmoid_loss_is_the_mean_over_labels():
    targets = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    losses = SigmoidLoss()(OUTPUTS, targets)
    chances = OUTPUTS.sigmoid()
    expected = -torch.where(targets > 0, chances, 1 - chances).log().mean(1)
    torch.testing.assert_close(losses, expected)


def test_pos_weight_ignores_texts_without_the_label():
    off = torch.zeros(2, 3)
    plain = SigmoidLoss(0.1)(OUTPUTS, off)
    torch.testing.assert_close(SigmoidLoss(0.1, (99.0,) * 3)(OUTPUTS, off), plain)


@pytest.mark.parametrize("label", [0, 2])
def test_pos_weight_multiplies_losses_of_positive_labels(label):
    weights = tuple(2.0 if i == label else 1.0 for i in range(3))
    targets = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    plain, weighted = (
        SigmoidLoss(pos_weight=w)(OUTPUTS, targets) for w in (None, weights)
    )
    assert plain[0] == weighted[0]
    gain = -OUTPUTS[1, label].sigmoid().log() / 3
    torch.testing.assert_close(weighted[1] - plain[1], gain)


def test_a_rescaled_head_gives_rescaled_outputs():
    head = LinearHead(np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([0.5, 0.0]))
    scale, shift = np.array([10.0, 2.0]), np.array([1.0, -1.0])
    features = np.array([[3.0, 1.0], [0.0, 2.0]])
    np.testing.assert_allclose(
        head.rescaled(scale, shift)(features), head(features) * scale + shift
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("squared_error", [(4 + 0.25) / 2, 9 / 2]),
        ("absolute_error", [(2 + 0.5) / 2, 3 / 2]),
        ("huber", [(1.5 + 0.125) / 2, 2.5 / 2]),
    ],
)
def test_regression_losses_are_means_over_the_outputs(kind, expected):
    outputs = torch.tensor([[2.0, 0.5], [0.0, -3.0]])
    losses = NumberLoss(kind)(outputs, torch.zeros(2, 2))
    torch.testing.assert_close(losses, torch.tensor(expected))
