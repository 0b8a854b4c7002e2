"""The gradients of a step, and their length."""

import pytest
import torch

from sklearn_bert._engine.training.clipping import (
    clip,
    clip_factor,
    gradients_of,
    read_loss_and_norm,
)


@pytest.fixture
def tensors():
    with_gradients = [torch.zeros(2), torch.zeros(1)]
    with_gradients[0].grad = torch.tensor([2.0, 3.0])
    with_gradients[1].grad = torch.tensor([6.0])
    return [*with_gradients, torch.zeros(3)]


def test_tensors_without_gradients_are_left_out(tensors):
    assert [len(gradient) for gradient in gradients_of(tensors)] == [2, 1]


def test_the_norm_is_that_of_all_gradients_together(tensors):
    loss = torch.tensor(0.5, dtype=torch.float64)
    assert read_loss_and_norm(loss, gradients_of(tensors)) == (0.5, 7.0)


def test_long_gradients_are_scaled_down_to_length_one(tensors):
    clip(gradients_of(tensors), norm=7.0)
    _, norm = read_loss_and_norm(torch.zeros(()), gradients_of(tensors))
    assert norm == pytest.approx(1.0)
    assert tensors[1].grad.item() == pytest.approx(6 / 7)


def test_short_gradients_stay(tensors):
    clip(gradients_of(tensors), norm=1.0)
    assert tensors[0].grad.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 7.0])
def test_the_factor_on_the_device_is_the_same(norm):
    gradient = torch.tensor([3.0])
    clip([gradient], norm)
    assert clip_factor(torch.tensor(norm)) * 3.0 == gradient
