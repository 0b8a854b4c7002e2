"""The loss of an encoder and a linear layer, and the check of their outputs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.encoding.batch import collate
from sklearn_bert._engine.encoding.readout import PooledReadout
from sklearn_bert._engine.training.batches import BatchMaker, TrainingData
from sklearn_bert._engine.training.heads import LinearHead, SoftmaxLoss
from sklearn_bert._engine.training.model.supervised import SupervisedModel
from sklearn_bert._engine.training.model.trainable import make_trainable

CPU = torch.device("cpu")


@pytest.fixture
def checkpoint(tiny_bert):
    return load_checkpoint(locate(str(tiny_bert), None))


@pytest.fixture
def model(checkpoint):
    options = {"autocast_dtype": None, "n_frozen": 0, "dropout": 0.0, "seed": 0}
    trainable = make_trainable(checkpoint, CPU, torch.float64, **options)
    # The loss of outputs that are all zero is log(2).
    head = LinearHead(np.zeros((2, 32)), np.zeros(2)).to_module(CPU, torch.float64)
    return SupervisedModel(trainable, head, SoftmaxLoss(), PooledReadout("mean"))


@pytest.fixture
def sequences(checkpoint, texts):
    return checkpoint.tokenizer(texts, None, max_length=32, long_text="truncate")


def test_losses_are_weighted_and_added_up(model, sequences):
    weights = torch.arange(40, dtype=torch.float64)
    data = TrainingData(sequences, torch.zeros(40, dtype=torch.int64), weights)
    maker = BatchMaker(data, 40, 0, collate)
    part = maker.collate(list(range(40)))
    model.trainable.token_embedding.take(maker.token_ids(range(40)))
    expected = weights.sum().item() * np.log(2)
    assert model.sum_losses(part).item() == pytest.approx(expected)


def test_a_fraction_of_the_loss_is_contrastive(model, sequences):
    classes = torch.arange(40) % 2
    data = TrainingData(sequences, classes, torch.ones(40, dtype=torch.float64))
    maker = BatchMaker(data, 40, 0, collate)
    part = maker.collate(list(range(40)))

    def loss(fraction):
        model.trainable.token_embedding.take(maker.token_ids(range(40)))
        return replace(model, contrastive=fraction).sum_losses(part).item()

    assert loss(0.25) == pytest.approx(0.75 * loss(0.0) + 0.25 * loss(1.0))
    assert loss(1.0) != pytest.approx(loss(0.0))


def test_outputs_of_finite_weights_are_finite(model, sequences):
    assert model.has_finite_outputs(sequences)


def test_outputs_that_overflow_are_found(model, sequences):
    huge = LinearHead(np.full((2, 32), 1e308), np.full(2, 1e308))
    head = huge.to_module(CPU, torch.float64)
    assert not replace(model, head=head).has_finite_outputs(sequences)


def test_weights_of_layers_pass_gradients_to_these_layers(model, sequences):
    model.head.weight.data.normal_()
    readout = PooledReadout("mean", layer_weights=(1.0, 0.0))
    data = TrainingData(sequences, torch.zeros(40, dtype=torch.int64), torch.ones(40))
    maker = BatchMaker(data, 40, 0, collate)
    model.trainable.token_embedding.take(maker.token_ids(range(40)))
    replace(model, readout=readout).sum_losses(maker.collate([0, 1, 2])).backward()
    gradients = {one.name: one.tensor.grad for one in model.trainable.tensors}
    of_layers = {
        depth: gradients[f"encoder.layer.{depth - 1}.output.dense.weight"]
        for depth in (1, 2, 3)
    }
    assert of_layers[1].norm() > 0
    assert of_layers[2].norm() > 0
    assert of_layers[3].norm() == 0
