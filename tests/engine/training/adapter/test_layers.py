"""Linear layers with an adapter: at first the same, trained alone, taken off again."""

import logging

import numpy as np
import pytest
import torch

from sklearn_bert._engine.checkpoints.adapter import PackedAdapter
from sklearn_bert._engine.checkpoints.files.locate import locate
from sklearn_bert._engine.checkpoints.load import load_checkpoint
from sklearn_bert._engine.checkpoints.packed import pack, unpack
from sklearn_bert._engine.training.adapter.layers import (
    AdapterPlan,
    add_adapter,
    take_adapter,
)

pytest.importorskip("peft")
NAMES = ("encoder.layer.0.attention.self.query", "encoder.layer.2.output.dense")
PLAN = AdapterPlan(NAMES, rank=4)


@pytest.fixture
def checkpoint(tiny_bert):
    return load_checkpoint(locate(str(tiny_bert), None))


@pytest.fixture
def states(checkpoint):
    """Return a function that runs a model on two sequences."""

    def run(model):
        ids = torch.tensor([[2, 7, 8, 3], [2, 9, 30, 3]])
        with torch.inference_mode():
            return model(ids).last_hidden_state

    return run


@pytest.fixture
def drawn():
    """An adapter that changes something."""
    generator = np.random.RandomState(0)
    sizes = {NAMES[0]: (32, 32), NAMES[1]: (48, 32)}
    down = {name: 0.3 * generator.randn(4, sizes[name][0]) for name in NAMES}
    up = {name: 0.3 * generator.randn(sizes[name][1], 4) for name in NAMES}
    arrays = ({k: x.astype(np.float32) for k, x in one.items()} for one in (down, up))
    return PackedAdapter(4, 2.0, *arrays)


def trained(model):
    return {name for name, x in model.named_parameters() if x.requires_grad}


def test_a_new_adapter_changes_nothing(checkpoint, states):
    expected = states(checkpoint.model)
    add_adapter(checkpoint.model, PLAN, seed=0)
    assert torch.equal(states(checkpoint.model), expected)


def test_only_the_adapter_is_trained(checkpoint):
    add_adapter(checkpoint.model, PLAN, seed=0)
    found = trained(checkpoint.model)
    assert len(found) == 4
    assert all(name.startswith(NAMES) and ".lora_" in name for name in found)


def test_the_seed_decides_and_the_global_generator_is_left_alone(tiny_bert):
    adapters = []
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    for seed in (0, 0, 1):
        model = load_checkpoint(locate(str(tiny_bert), None)).model
        add_adapter(model, PLAN, seed)
        adapters.append(take_adapter(model, PLAN).down[NAMES[0]])
    assert torch.equal(torch.rand(1), expected)
    assert np.array_equal(adapters[0], adapters[1])
    assert not np.array_equal(adapters[0], adapters[2])


def test_it_is_drawn_from_the_distribution_of_peft(checkpoint):
    add_adapter(checkpoint.model, PLAN, seed=0)
    adapter = take_adapter(checkpoint.model, PLAN)
    for name, size in zip(NAMES, (32, 48), strict=True):
        bound, down = size**-0.5, adapter.down[name]
        assert 0.8 * bound < abs(down).max() <= bound
        assert abs(down.mean()) < 0.2 * bound
        assert not adapter.up[name].any()


def test_merged_and_unmerged_states_are_equal(checkpoint, states, drawn):
    before = states(checkpoint.model.double())
    add_adapter(checkpoint.model, AdapterPlan(NAMES, 4, drawn), seed=0)
    expected = states(checkpoint.model)
    assert not torch.allclose(expected, before, atol=1e-2)
    adapter = take_adapter(checkpoint.model, PLAN)
    found = states(unpack(pack(checkpoint, adapter)).model)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_taking_it_gives_the_base_and_the_adapter_back(checkpoint, states, drawn):
    before = {name: x.clone() for name, x in checkpoint.model.state_dict().items()}
    add_adapter(checkpoint.model, AdapterPlan(NAMES, 4, drawn), seed=0)
    found = take_adapter(checkpoint.model, PLAN)
    after = checkpoint.model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], x) for name, x in before.items())
    assert (found.rank, found.scale) == (4, 2.0)
    for name in NAMES:
        np.testing.assert_array_equal(found.down[name], drawn.down[name])
        np.testing.assert_array_equal(found.up[name], drawn.up[name])


def test_a_name_matches_no_other_layer(checkpoint):
    plan = AdapterPlan(("encoder.layer.1.output.dense",), 2)
    add_adapter(checkpoint.model, plan, seed=0)
    assert all(name.startswith(plan.targets) for name in trained(checkpoint.model))


def test_float64_is_kept(checkpoint):
    checkpoint.model.to(torch.float64)
    add_adapter(checkpoint.model, PLAN, seed=0)
    assert take_adapter(checkpoint.model, PLAN).down[NAMES[0]].dtype == np.float64


def test_peft_says_nothing(checkpoint, caplog, capfd):
    caplog.set_level(logging.WARNING)
    add_adapter(checkpoint.model, PLAN, seed=0)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
