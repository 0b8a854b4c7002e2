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


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("factor", [0.3, torch.tensor(0.3, dtype=torch.float64)])
def test_without_the_operator_tensors_are_multiplied_one_by_one(monkeypatch, factor):
    tensors, expected = [[draw(3), draw(2, 2)] for _ in range(2)]
    module.multiply_all(expected, factor)
    monkeypatch.delattr(torch, "_foreach_mul_")
    module.multiply_all(tensors, factor)
    assert all(map(torch.equal, tensors, expected))


def test_without_the_operator_tensors_are_copied_one_by_one(monkeypatch):
    sources, targets = [draw(3), draw(2, 2)], [torch.zeros(3), torch.zeros(2, 2)]
    monkeypatch.delattr(torch, "_foreach_copy_")
    module.copy_all(targets, sources)
    for target, source in zip(targets, sources, strict=True):
        torch.testing.assert_close(target, source.float())


def test_without_the_operator_the_gradient_of_softmax_is_the_same(monkeypatch):
    grad, softmax = draw(2, 3, 5), draw(2, 3, 5, seed=1).softmax(-1)
    expected = module.softmax_backward(grad, softmax)
    monkeypatch.delattr(torch, "_softmax_backward_data")
    torch.testing.assert_close(module.softmax_backward(grad, softmax), expected)


def test_without_the_operator_the_gradients_of_a_norm_are_the_same(monkeypatch):
    grad, x, weight, bias = draw(4, 5), draw(4, 5, seed=1), draw(5), draw(5, seed=1)
    _, mean, rstd = torch.native_layer_norm(x, (5,), weight, bias, 1e-3)
    expected = module.layer_norm_backward(grad, x, mean, rstd, weight, bias)
    monkeypatch.setattr(torch.ops, "aten", object())
    found = module.layer_norm_backward(grad, x, mean, rstd, weight, bias)
    torch.testing.assert_close(found, expected)


def test_without_the_function_memory_stays_with_the_pool(monkeypatch):
    monkeypatch.setattr(torch, "_C", object())
    module.end_allocation_to_pool(0, (0, 1))
