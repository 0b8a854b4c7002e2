"""The check of each step, and the error after a divergence."""

import logging
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from sklearn_bert._engine.training.config import LoopLog
from sklearn_bert._engine.training.model.layer_depth import TrainedTensor
from sklearn_bert._engine.training.optimizer import Optimizer
from sklearn_bert._engine.training.step_runner import PlainStepRunner, Step
from sklearn_bert._engine.training.stepper import Stepper, make_step_runner
from sklearn_bert._engine.training.weight_snapshot import WeightSnapshot
from sklearn_bert.exceptions import DivergenceError


@pytest.fixture
def stepper():
    """A stepper on one weight, 2.0, whose loss is a part times its square."""
    weight = torch.tensor([2.0], requires_grad=True)
    trained = [TrainedTensor("head", weight, 1)]
    optimizer = Optimizer(trained, None, learning_rate=0.002, weight_decay=0.0)

    def sum_losses(part):
        return (part * weight.square()).sum()

    return Stepper(
        PlainStepRunner(sum_losses, optimizer),
        optimizer,
        WeightSnapshot([weight]),
        LoopLog(n_steps=2),
        n_steps=10,
        learning_rate=0.002,
        schedule=lambda step: 0.5,
        dtype=torch.float32,
    )


def accumulate(stepper, *parts):
    return stepper.accumulate(
        Step([], [[one] for one in parts], n_losses=len(parts)), None
    )


def test_parts_add_up_to_the_mean_loss_and_its_gradient(stepper):
    assert accumulate(stepper, 3.0, 5.0) == (16.0, 16.0)


def test_an_update_follows_the_schedule_and_counts_the_step(stepper):
    _, norm = accumulate(stepper, 1.0)
    stepper.update(norm)
    # AdamW moves by the learning rate in its first step.
    assert stepper.optimizer.tensors[0].item() == pytest.approx(2.0 - 0.001)
    assert stepper.log.n_steps == 3
    assert stepper.optimizer.gradients() == []


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_the_error_states_value_step_and_remedy(stepper, loss):
    with pytest.raises(DivergenceError) as caught:
        accumulate(stepper, loss)
    assert str(caught.value) == (
        "The loss became NaN or infinite at step 3 of 10, with a learning rate of "
        "0.001. The initial weights are kept. Lower learning_rate (it is 0.002), or "
        "raise warmup."
    )


@pytest.mark.parametrize(
    ("dtype", "end"),
    [
        (torch.float64, "or raise warmup."),
        (torch.bfloat16, "raise warmup, or set dtype='float32'."),
        (torch.float16, "raise warmup, or set dtype='float32'."),
    ],
)
def test_a_wider_dtype_is_advised_only_if_products_are_narrow(stepper, dtype, end):
    error = replace(stepper, dtype=dtype).divergence("loss")
    assert str(error).endswith(f"(it is 0.002), {end}")


def test_a_non_finite_gradient_is_not_called_a_loss(stepper):
    stepper.optimizer.tensors[0].register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(DivergenceError, match="The gradient became NaN or infinite"):
        accumulate(stepper, 1.0)


def test_a_divergence_after_a_step_names_this_step(stepper):
    stepper.kept.keep(1)
    error = stepper.divergence("outputs", is_after=True)
    assert "The outputs became NaN or infinite after step 2 of 10" in str(error)
    assert "The weights from the end of epoch 1 are kept" in str(error)


@pytest.fixture
def on_a_gpu(monkeypatch):
    """A model and an optimizer that pretend to be on a GPU."""
    for name in ("current_stream", "default_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda device: 0)
    device = torch.device("cuda")
    encoder = SimpleNamespace(device=device, backend="not the fused one")
    trainable = SimpleNamespace(encoder=encoder, recomputes=False, adapter=None)
    model = SimpleNamespace(
        trainable=trainable, contrastive=0.0, sum_losses=lambda part: part
    )
    return model, SimpleNamespace(device=device)


def test_the_reason_for_not_recording_is_logged(on_a_gpu, caplog):
    with caplog.at_level(logging.DEBUG, "sklearn_bert"):
        runner = make_step_runner(*on_a_gpu, batch_size=8)
    assert isinstance(runner, PlainStepRunner)
    assert "not recorded as CUDA graphs: the layers of the model" in caplog.text


def test_steps_that_compare_texts_are_not_recorded(on_a_gpu, caplog):
    on_a_gpu[0].contrastive = 0.5
    with caplog.at_level(logging.DEBUG, "sklearn_bert"):
        runner = make_step_runner(*on_a_gpu, batch_size=8)
    assert isinstance(runner, PlainStepRunner)
    assert "depends on the others of its batch" in caplog.text


def test_steps_are_not_recorded_with_anomaly_detection(on_a_gpu, caplog):
    with (
        caplog.at_level(logging.DEBUG, "sklearn_bert"),
        torch.autograd.set_detect_anomaly(True),
    ):
        runner = make_step_runner(*on_a_gpu, batch_size=8)
    assert isinstance(runner, PlainStepRunner)
    assert "anomaly detection of autograd is on" in caplog.text
