"""Snapshots of the weights that a training can restore."""

import pytest
import torch

from sklearn_bert._engine.training.weight_snapshot import WeightSnapshot


@pytest.fixture
def tensors():
    return [torch.zeros(2), torch.zeros(3)]


def test_the_initial_weights_are_restored(tensors):
    kept = WeightSnapshot(tensors)
    tensors[0].fill_(1)
    kept.restore()
    assert not tensors[0].any()
    assert kept.name == "initial weights"


def test_the_last_kept_weights_are_restored(tensors):
    kept = WeightSnapshot(tensors, called="weights of step {}")
    tensors[1].fill_(1)
    kept.keep(7)
    tensors[1].fill_(2)
    kept.restore()
    assert (tensors[1] == 1).all()
    assert kept.name == "weights of step 7"


def test_only_the_given_rows_of_a_table_are_restored(tensors):
    table = torch.zeros(4, 2)
    kept = WeightSnapshot(tensors, (table, torch.tensor([1, 3])))
    table.fill_(1)
    kept.restore()
    assert table.sum(1).tolist() == [2, 0, 2, 0]


def test_weights_stay_if_ctrl_c_interrupts_the_copy(tensors, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    kept = WeightSnapshot(tensors)
    tensors[0].fill_(1)
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "copy_", interrupted)
        with pytest.raises(KeyboardInterrupt):
            kept.keep(1)
    kept.restore()
    assert tensors[0].all()
