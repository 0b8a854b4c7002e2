"""The step runner without CUDA graphs."""

import threading

import pytest
import torch

from sklearn_bert._engine.runtime.ranks import Ranks
from sklearn_bert._engine.training.model.layer_depth import TrainedTensor
from sklearn_bert._engine.training.optimizer import Optimizer
from sklearn_bert._engine.training.step_runner import PlainStepRunner, Step


@pytest.fixture
def runner():
    """A runner on one weight, 2.0, whose loss is a part times its square."""
    weight = torch.tensor([2.0], requires_grad=True)
    trained = [TrainedTensor("head", weight, 1)]
    optimizer = Optimizer(trained, None, learning_rate=0.002, weight_decay=0.0)
    return PlainStepRunner(lambda part: (part * weight.square()).sum(), optimizer)


def test_parts_are_not_padded(runner):
    part = torch.ones(3)
    assert runner.pad(part) is part


def test_the_loss_is_the_mean_over_all_parts(runner):
    loss, norm = runner.accumulate(Step([], [[3.0], [5.0]], n_losses=4))
    # (3 + 5) / 4 times the square of 2, and its derivative.
    assert (loss, norm) == (8.0, 8.0)


def test_there_is_no_memory_to_free(runner):
    assert not runner.free_memory()


def test_loss_and_gradient_are_summed_over_all_ranks(runner):
    class Doubled(Ranks):
        def add(self, tensors):
            for tensor in tensors:
                tensor *= 2

    runner._ranks = Doubled(0, 2)
    loss, norm = runner.accumulate(Step([], [[3.0]], n_losses=4))
    assert (loss, norm) == (6.0, 6.0)


def test_a_rank_without_a_share_adds_nothing_but_has_gradients(runner):
    assert runner.accumulate(Step([], [[3.0]], 4, weight=0.0)) == (0.0, 0.0)
    assert [x.tolist() for x in runner.optimizer.gradients()] == [[0.0]]


@pytest.fixture
def on_two_weights():
    """A runner on two weights, 2 and 3, whose loss is a part times their sum."""
    weights = [torch.tensor([x], requires_grad=True) for x in (2.0, 3.0)]
    trained = [TrainedTensor(f"head.{k}", one, 1) for k, one in enumerate(weights)]
    optimizer = Optimizer(trained, None, learning_rate=0.002, weight_decay=0.0)
    return PlainStepRunner(lambda part: (part * sum(weights)).sum(), optimizer)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_shares_add_up_to_the_whole(on_two_weights, n_threads):
    threads = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        # Both weights have the same tensor as gradient.
        loss, _ = on_two_weights.accumulate(Step([], [[3.0, 5.0], [2.0]], n_losses=2))
    finally:
        torch.set_num_threads(threads)
    on_two_weights.free_memory()
    assert loss == (3 + 5 + 2) / 2 * (2 + 3)
    gradients = on_two_weights.optimizer.gradients()
    assert [one.item() for one in gradients] == [5.0, 5.0]


def test_a_weight_that_one_share_does_not_use_has_the_gradient_of_the_other():
    weights = [torch.tensor([x], requires_grad=True) for x in (2.0, 3.0)]
    trained = [TrainedTensor(f"head.{k}", one, 1) for k, one in enumerate(weights)]
    optimizer = Optimizer(trained, None, learning_rate=0.002, weight_decay=0.0)
    runner = PlainStepRunner(lambda k: weights[k].sum(), optimizer)
    runner.accumulate(Step([], [[0, 0]], n_losses=1))
    assert weights[0].grad.item() == 2.0
    assert weights[1].grad is None


def test_streams_end_when_memory_is_freed(on_two_weights):
    before = threading.active_count()
    on_two_weights.accumulate(Step([], [[3.0, 5.0]], n_losses=2))
    on_two_weights.free_memory()
    assert threading.active_count() == before
