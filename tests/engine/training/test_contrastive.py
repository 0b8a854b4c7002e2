"""The supervised contrastive loss."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sklearn_bert._engine.training.contrastive import contrastive_losses

VECTORS = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 4)))
CLASSES = torch.tensor([0, 1, 0, 0, 2])
ONES = torch.ones(5, dtype=torch.float64)


def test_it_is_the_mean_cross_entropy_of_the_texts_of_a_class():
    units = VECTORS / VECTORS.norm(dim=1, keepdim=True)
    exponents = (units @ units.T / 0.3).exp()
    expected = -(exponents[0, [0, 2, 3]] / exponents[0].sum()).log().mean()
    assert_close(contrastive_losses(VECTORS, CLASSES, ONES)[0], expected)


def test_weight_two_is_the_text_twice():
    twice = torch.tensor([0, 0, 1, 2, 3, 4])
    repeated = contrastive_losses(VECTORS[twice], CLASSES[twice], torch.ones(6))
    weights = torch.tensor([2.0, 1.0, 1.0, 1.0, 1.0], dtype=torch.float64)
    assert_close(contrastive_losses(VECTORS, CLASSES, weights), repeated[1:])


def test_the_length_of_vectors_does_not_matter():
    losses = contrastive_losses(VECTORS, CLASSES, ONES)
    scaled = VECTORS * torch.tensor([[1.0], [2.0], [3.0], [0.5], [9.0]])
    assert_close(contrastive_losses(scaled, CLASSES, ONES), losses)


def test_descending_it_makes_texts_of_a_class_more_similar():
    vectors = VECTORS.clone().requires_grad_()
    similarity = torch.cosine_similarity(vectors[0], vectors[2], dim=0).item()
    contrastive_losses(vectors, CLASSES, ONES).sum().backward()
    moved = (vectors - 0.1 * vectors.grad).detach()
    assert torch.cosine_similarity(moved[0], moved[2], dim=0) > similarity


def test_a_weight_that_is_rounded_to_zero_gives_a_finite_loss():
    weights = torch.tensor([1.0, 1.0, 1.0, 1.0, 1e-50])
    losses = contrastive_losses(VECTORS, CLASSES, weights)
    assert torch.isfinite(losses).all()
    without = contrastive_losses(VECTORS[:4], CLASSES[:4], weights[:4])
    assert_close(losses[:4], without)


@pytest.mark.parametrize("n", [1, 2])
def test_gradients_of_few_texts_are_finite(n):
    vectors = VECTORS[:n].clone().requires_grad_()
    contrastive_losses(vectors, CLASSES[:n], ONES[:n]).sum().backward()
    assert torch.isfinite(vectors.grad).all()
