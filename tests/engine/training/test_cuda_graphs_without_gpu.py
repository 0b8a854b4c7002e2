"""If the recording of CUDA graphs fails, steps are run without them."""

import logging
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

from sklearn_bert._engine.encoding.batch import Batch
from sklearn_bert._engine.training import cuda_graphs
from sklearn_bert._engine.training.batches import TrainingBatch
from sklearn_bert._engine.training.model.layer_depth import TrainedTensor
from sklearn_bert._engine.training.model.token_embedding import RowEmbedding
from sklearn_bert._engine.training.optimizer import Optimizer
from sklearn_bert._engine.training.step_runner import PlainStepRunner, Step


def make_plain():
    """Return a runner for a regression on the means of the tokens of three texts."""
    generator = torch.Generator().manual_seed(0)
    embedding = RowEmbedding(torch.randn(10, 4, generator=generator))
    weights = torch.randn(4, generator=generator).requires_grad_()
    unused = torch.ones(3, requires_grad=True)
    trained = [TrainedTensor("unused", unused, 1), TrainedTensor("weights", weights, 1)]
    optimizer = Optimizer(trained, embedding, learning_rate=0.1, weight_decay=0.01)

    def sum_losses(part):
        tokens = embedding(part.batch.input_ids)
        lengths = part.batch.boundaries.diff().tolist()
        means = torch.stack([text.mean(0) for text in tokens.split(lengths)])
        return ((means @ weights - part.targets).square() * part.weights).sum()

    return PlainStepRunner(sum_losses, optimizer)


def make_part(generator):
    ids = torch.randint(0, 10, (12,), generator=generator)
    boundaries = torch.tensor([0, 6, 10, 12])
    batch = Batch((6, 4, 2), boundaries, ids, torch.arange(12), None)
    targets = torch.randn(3, generator=generator)
    return TrainingBatch(batch, None, 3, targets, torch.ones(3))


def take_steps(runner, optimizer, n_steps=3):
    """Return the losses and norms of some steps, and the final weights."""
    generator = torch.Generator().manual_seed(1)
    figures = []
    for _ in range(n_steps):
        part = make_part(generator)
        step = Step([0, 1, 2], [[runner.pad(part)]], 3, part.batch.input_ids.unique())
        figures.append(runner.accumulate(step))
        runner.update(figures[-1][1], 0.5)
        optimizer.release()
    weights = [*optimizer.tensors, optimizer.token_embedding.weight]
    return figures, [one.detach().clone() for one in weights]


class FailingRecorder:
    """Fails to record, like a GPU with too little memory."""

    def __init__(self, device, dropout):
        pass

    @contextmanager
    def recording(self):
        raise RuntimeError("out of memory")
        yield


@pytest.fixture
def make_recording(monkeypatch):
    """Return a function that makes a runner whose recordings fail."""

    def make(plain):
        dropout = SimpleNamespace(renew=lambda: None)
        return cuda_graphs.CudaGraphRunner(plain, dropout, batch_size=3)

    monkeypatch.setattr(cuda_graphs, "GraphRecorder", FailingRecorder)
    return make


def test_the_weights_equal_those_of_a_plain_runner(make_recording, caplog):
    plain, other = make_plain(), make_plain()
    recording = make_recording(other)
    with caplog.at_level(logging.DEBUG, "sklearn_bert"):
        figures, weights = take_steps(recording, other.optimizer)
    expected_figures, expected = take_steps(plain, plain.optimizer)
    assert recording.n_replayed == 0
    # Its batches are padded with tokens of weight 0.
    torch.testing.assert_close(figures, expected_figures)
    torch.testing.assert_close(weights, expected)
    assert "without CUDA graphs: out of memory" in caplog.text


def test_after_a_failure_nothing_is_padded(make_recording):
    plain, part = make_plain(), make_part(torch.Generator())
    runner = make_recording(plain)
    assert len(runner.pad(part).batch.input_ids) == 256
    take_steps(runner, plain.optimizer)
    assert runner.pad(part) is part
    assert not runner.free_memory()


@pytest.mark.parametrize(
    ("recomputes", "adapter", "reason"),
    [(True, None, "computed again"), (False, "some", "adapter")],
)
def test_steps_that_save_memory_are_not_recorded(recomputes, adapter, reason):
    trainable = SimpleNamespace(encoder=None, recomputes=recomputes, adapter=adapter)
    found = cuda_graphs.why_not_recorded(SimpleNamespace(trainable=trainable))
    assert reason in found
