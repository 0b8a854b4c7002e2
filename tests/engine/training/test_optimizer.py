"""Schedules, parameter groups, and AdamW for some rows of an embedding."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.training.model.token_embedding import RowEmbedding
from sklearn_bert._engine.training.optimizer import (
    RowAdamW,
    TrainedTensor,
    make_adamw,
    scale_rates,
    schedule_factor,
)


def factors(schedule, n_warmup=2, n_steps=10):
    return [schedule_factor(i, n_steps, n_warmup, schedule) for i in range(n_steps)]


def test_the_rate_rises_to_its_full_height():
    assert factors("linear")[:3] == [0.5, 1.0, 1.0]


def test_a_step_uses_a_share_of_each_groups_rate():
    tensors = [
        TrainedTensor("a", torch.zeros(2), 0),
        TrainedTensor("b", torch.zeros(2), 1),
    ]
    adamw = make_adamw(
        tensors, learning_rate=0.4, weight_decay=0.0, layer_decay=0.5, top=1
    )
    for factor in (0.1, 0.5):
        scale_rates(adamw, factor)
    assert [group["lr"] for group in adamw.param_groups] == [0.1, 0.2]


def test_a_linear_schedule_falls_evenly_and_ends_above_zero():
    steps = np.diff(factors("linear")[2:])
    np.testing.assert_allclose(steps, -1 / 8)
    assert factors("linear")[-1] == pytest.approx(1 / 8)


def test_a_cosine_falls_by_half_in_the_middle():
    assert factors("cosine", n_warmup=0)[5] == pytest.approx(0.5)


def test_a_constant_rate_stays():
    assert factors("constant")[2:] == [1.0] * 8


def test_there_may_be_no_warmup():
    assert factors("linear", n_warmup=0)[0] == 1.0


def groups(**changes):
    tensors = [
        TrainedTensor("weight", torch.zeros(2, 2), 1),
        TrainedTensor("bias", torch.zeros(2), 1),
        TrainedTensor("LayerNorm.weight", torch.ones(2), 1),
        TrainedTensor("head", torch.zeros(2, 2), 2),
    ]
    options = {"learning_rate": 0.1, "weight_decay": 0.3, "layer_decay": 1.0, "top": 2}
    adamw = make_adamw(tensors, **{**options, **changes})
    return {
        next(t.name for t in tensors if t.tensor is one): group
        for group in adamw.param_groups
        for one in group["params"]
    }


def test_biases_and_norms_do_not_decay():
    decays = {name: group["weight_decay"] for name, group in groups().items()}
    assert decays == {
        "weight": 0.3,
        "bias": 0.0,
        "LayerNorm.weight": 0.0,
        "head": 0.3,
    }


def test_rates_fall_from_layer_to_layer():
    rates = {name: group["lr"] for name, group in groups(layer_decay=0.5).items()}
    assert rates == {
        "weight": 0.05,
        "bias": 0.05,
        "LayerNorm.weight": 0.05,
        "head": 0.1,
    }


def move_rows(batches, weight, factor=1.0):
    """Minimise the sum of squares of the rows of each batch."""
    embedding = RowEmbedding(weight.clone())
    optimizer = RowAdamW(embedding, learning_rate=0.1, weight_decay=0.2)
    for rows in batches:
        embedding.take(torch.tensor(rows))
        embedding.leaf.square().sum().backward()
        optimizer.step(factor)
        embedding.release()
    return embedding.weight.detach()


def test_rows_used_in_every_step_move_as_by_adamw():
    weight = torch.linspace(-1, 1, 8, dtype=torch.float64).view(4, 2)
    expected = weight.clone().requires_grad_()
    adamw = torch.optim.AdamW([expected], lr=0.1, weight_decay=0.2)
    for _ in range(5):
        adamw.zero_grad()
        expected.square().sum().backward()
        adamw.step()
    moved = move_rows([[0, 1, 2, 3]] * 5, weight)
    torch.testing.assert_close(moved, expected.detach())


def test_a_row_moves_only_when_it_is_used():
    weight = torch.ones(4, 2, dtype=torch.float64)
    moved = move_rows([[0, 1], [1, 3]], weight)
    assert torch.equal(moved[2], weight[2])
    # Used once each, at the first and at the second step.
    torch.testing.assert_close(moved[0], moved[3])
    assert (moved[1] < moved[0]).all()


def test_further_rows_of_a_leaf_mean_nothing():
    weight = torch.linspace(-1, 1, 8, dtype=torch.float64).view(4, 2)
    embedding = RowEmbedding(weight.clone())
    optimizer = RowAdamW(embedding, learning_rate=0.1, weight_decay=0.2)
    leaf = torch.full((4, 2), 9.0, dtype=torch.float64, requires_grad=True)
    embedding.take(torch.tensor([0, 2]), leaf)
    leaf.square().sum().backward()
    optimizer.step(1.0)
    assert torch.equal(embedding.weight, move_rows([[0, 2]], weight))


def test_the_schedule_scales_the_move():
    weight = torch.ones(1, 2, dtype=torch.float64)
    full = 1 - move_rows([[0]], weight)
    half = 1 - move_rows([[0]], weight, factor=0.5)
    torch.testing.assert_close(half, full / 2)
