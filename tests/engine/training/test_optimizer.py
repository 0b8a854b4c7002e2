"""Schedules, parameter groups, gradient clipping and optimizer state."""

import numpy as np
import pytest
import torch

from sklearn_bert._engine.training.model.layer_depth import TrainedTensor
from sklearn_bert._engine.training.model.token_embedding import RowEmbedding
from sklearn_bert._engine.training.optimizer import (
    Optimizer,
    clip,
    clip_factor,
    read_loss_and_norm,
    schedule_factor,
)


def factors(schedule, n_warmup=2, n_steps=10):
    return [schedule_factor(i, n_steps, n_warmup, schedule) for i in range(n_steps)]


def test_the_rate_rises_during_the_warmup():
    assert factors("linear")[:3] == [0.5, 1.0, 1.0]


def test_a_factor_scales_the_rate_of_each_group():
    tensors = [
        TrainedTensor("a", torch.zeros(2), 0),
        TrainedTensor("b", torch.zeros(2), 1),
    ]
    optimizer = Optimizer(
        tensors, None, learning_rate=0.4, weight_decay=0.0, layer_decay=0.5
    )
    for factor in (0.1, 0.5):
        optimizer.scale_rates(factor)
    assert [group["lr"] for group in optimizer.adamw.param_groups] == [0.1, 0.2]
    assert optimizer.learning_rate == 0.2


def test_a_linear_schedule_falls_evenly_and_ends_above_zero():
    steps = np.diff(factors("linear")[2:])
    np.testing.assert_allclose(steps, -1 / 8)
    assert factors("linear")[-1] == pytest.approx(1 / 8)


def test_a_cosine_schedule_is_halved_in_the_middle():
    assert factors("cosine", n_warmup=0)[5] == pytest.approx(0.5)


def test_a_constant_schedule_stays_at_the_full_rate():
    assert factors("constant")[2:] == [1.0] * 8


def test_the_warmup_may_be_empty():
    assert factors("linear", n_warmup=0)[0] == 1.0


def groups(**changes):
    tensors = [
        TrainedTensor("weight", torch.zeros(2, 2), 1),
        TrainedTensor("bias", torch.zeros(2), 1),
        TrainedTensor("LayerNorm.weight", torch.ones(2), 1),
        TrainedTensor("head", torch.zeros(2, 2), 2),
    ]
    options = {"learning_rate": 0.1, "weight_decay": 0.3, "layer_decay": 1.0}
    adamw = Optimizer(tensors, None, **{**options, **changes}).adamw
    return {
        next(t.name for t in tensors if t.tensor is one): group
        for group in adamw.param_groups
        for one in group["params"]
    }


def test_biases_and_norms_have_no_weight_decay():
    decays = {name: group["weight_decay"] for name, group in groups().items()}
    assert decays == {
        "weight": 0.3,
        "bias": 0.0,
        "LayerNorm.weight": 0.0,
        "head": 0.3,
    }


def test_lower_layers_have_lower_rates():
    rates = {name: group["lr"] for name, group in groups(layer_decay=0.5).items()}
    assert rates == {
        "weight": 0.05,
        "bias": 0.05,
        "LayerNorm.weight": 0.05,
        "head": 0.1,
    }


# --- clipping ----------------------------------------------------------------------


@pytest.fixture
def gradients():
    return [torch.tensor([2.0, 3.0]), torch.tensor([6.0])]


def test_the_norm_is_that_of_all_gradients_together(gradients):
    loss = torch.tensor(0.5, dtype=torch.float64)
    assert read_loss_and_norm(loss, gradients) == (0.5, 7.0)


def test_large_gradients_are_scaled_to_norm_one(gradients):
    clip(gradients, norm=7.0)
    _, norm = read_loss_and_norm(torch.zeros(()), gradients)
    assert norm == pytest.approx(1.0)
    assert gradients[1].item() == pytest.approx(6 / 7)


def test_small_gradients_are_unchanged(gradients):
    clip(gradients, norm=1.0)
    assert gradients[0].tolist() == [2.0, 3.0]


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 7.0])
def test_clip_factor_agrees_with_clip(norm):
    gradient = torch.tensor([3.0])
    clip([gradient], norm)
    assert clip_factor(torch.tensor(norm)) * 3.0 == gradient


# --- optimizer ---------------------------------------------------------------------


def make_optimizer(dtype=torch.float32, with_rows=True, **options):
    """Return an optimizer for a used tensor, an unused one, and some rows."""
    tensors = [
        TrainedTensor(name, torch.ones(2, dtype=dtype, requires_grad=True), 1)
        for name in ("unused", "used")
    ]
    rows = RowEmbedding(torch.ones(4, 2, dtype=dtype)) if with_rows else None
    rates = {"learning_rate": 0.1, "weight_decay": 0.0, **options}
    return Optimizer(tensors, rows, **rates)


def take_step(optimizer):
    """Compute gradients of one tensor and of two rows, and update both."""
    loss = optimizer.tensors[1].square().sum()
    if optimizer.token_embedding is not None:
        optimizer.token_embedding.take(torch.tensor([1, 3]))
        loss = loss + optimizer.token_embedding.leaf.square().sum()
    loss.backward()
    optimizer.step(norm=1.0, factor=1.0)


def test_gradients_are_those_of_used_tensors_and_of_the_rows():
    optimizer = make_optimizer()
    take_step(optimizer)
    assert [tuple(one.shape) for one in optimizer.gradients()] == [(2,), (2, 2)]
    optimizer.release()
    assert optimizer.gradients() == []


def test_a_learning_rate_beyond_the_dtype_is_refused():
    with pytest.raises(ValueError, match=r"at most 3.4e\+38.* Got 1e\+39. Lower it"):
        make_optimizer(learning_rate=1e39)
    make_optimizer(torch.float64, learning_rate=1e39)


@pytest.mark.parametrize("with_rows", [False, True])
def test_a_restored_state_gives_the_same_update(with_rows):
    first, second = (make_optimizer(with_rows=with_rows) for _ in range(2))
    take_step(first)
    second.load_state(first.state())
    for one, other in zip(first.tensors, second.tensors, strict=True):
        other.data.copy_(one.data)
    if with_rows:
        second.token_embedding.weight.data.copy_(first.token_embedding.weight)
    for optimizer in (first, second):
        optimizer.release()
        take_step(optimizer)
    assert torch.equal(first.tensors[1], second.tensors[1])
    state, expected = second.state()["moments"], first.state()["moments"]
    assert state.keys() == expected.keys()
    for name, moment in expected.items():
        np.testing.assert_array_equal(state[name], moment)


def test_a_state_is_not_changed_by_a_later_training():
    first, second = make_optimizer(), make_optimizer()
    take_step(first)
    state = first.state()
    before = {name: moment.copy() for name, moment in state["moments"].items()}
    second.load_state(state)
    take_step(second)
    for name, moment in before.items():
        np.testing.assert_array_equal(state["moments"][name], moment)


@pytest.mark.parametrize("changes", [{"dtype": torch.float64}, {"with_rows": False}])
def test_a_state_for_other_tensors_is_ignored(changes):
    first, second = make_optimizer(), make_optimizer(**changes)
    take_step(first)
    second.load_state(first.state())
    assert not second.adamw.state


def test_parameters_are_counted_with_every_row_of_the_embedding():
    with_rows, without = make_optimizer(), make_optimizer(with_rows=False)
    rows = with_rows.token_embedding.weight.numel()
    assert with_rows.n_parameters - without.n_parameters == rows
    assert without.n_parameters == sum(x.numel() for x in without.tensors)
