"""What is done with a torch that lacks a private name."""

import pytest
import torch

from sklearn_bert._engine.compat import torch_private as module
from sklearn_bert._engine.encoding.linear import (
    PlainLinear,
    make_linear,
    packed_linear_works,
)


@pytest.fixture
def _without_operators(monkeypatch):
    monkeypatch.setattr(torch.ops, "mkldnn", object())
    packed_linear_works.cache_clear()
    yield
    packed_linear_works.cache_clear()


@pytest.mark.usefixtures("_without_operators")
def test_without_its_operators_a_linear_layer_is_torchs_own():
    layer = make_linear(torch.ones(2, 3), torch.zeros(2))
    assert isinstance(layer, PlainLinear)


@pytest.mark.parametrize(
    ("place", "name", "function"),
    [
        (torch.cpu, "_is_avx512_bf16_supported", module.has_avx512_bf16),
        (torch.cpu, "_is_amx_tile_supported", module.has_amx),
        (torch.cuda, "_is_in_bad_fork", module.is_forked_from_cuda),
    ],
)
def test_what_torch_does_not_tell_is_not_there(monkeypatch, place, name, function):
    monkeypatch.delattr(place, name, raising=False)
    assert function() is False
