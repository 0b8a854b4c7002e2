"""BERT's layers in training: joint weights that are those of the module."""

import torch

from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.training.model.fused import TrainableFusedBackend
from sklearn_bert._engine.training.model.trainable import make_trainable


def make(folder):
    checkpoint = load_checkpoint(locate(str(folder), None))
    options = {"autocast_dtype": None, "n_frozen": 0, "dropout": 0.0, "seed": 0}
    cpu = torch.device("cpu")
    return checkpoint, make_trainable(checkpoint, cpu, torch.float64, **options)


def test_a_bert_is_trained_by_it(tiny_bert):
    _, trainable = make(tiny_bert)
    assert isinstance(trainable.encoder.backend, TrainableFusedBackend)


def test_joint_weights_are_the_modules_own(tiny_bert):
    checkpoint, trainable = make(tiny_bert)
    joint = next(one.tensor for one in trainable.tensors if ".qkv.weight" in one.name)
    with torch.no_grad():
        joint.fill_(7.0)
    key = checkpoint.model.encoder.layer[0].attention.self.key
    assert (key.weight == 7).all()
