"""Gradients that are written out equal those that torch derives."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sklearn_bert._engine.training.model.autograd import add_norm, linear, product_dtype


@pytest.fixture
def draw():
    """Return a function that draws float64 numbers whose gradient is wanted."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        numbers = torch.randn(shape, dtype=torch.float64, generator=generator)
        return numbers.requires_grad_()

    return draw


def test_linear_has_torchs_numbers_and_true_gradients(draw):
    x, weight, bias = draw(5, 3), draw(4, 3), draw(4)
    torch.testing.assert_close(linear(x, weight, bias), F.linear(x, weight, bias))
    assert torch.autograd.gradcheck(linear, (x, weight, bias))


@pytest.mark.parametrize("wanted", ["x", "weight", "bias"])
def test_linear_has_the_gradient_of_what_is_trained_only(draw, wanted):
    tensors = {"x": draw(5, 3), "weight": draw(4, 3), "bias": draw(4)}
    for name, tensor in tensors.items():
        tensor.requires_grad_(name == wanted)
    linear(**tensors).sum().backward()
    assert [name for name, one in tensors.items() if one.grad is not None] == [wanted]


def test_under_autocast_linear_multiplies_in_bfloat16(draw):
    x, weight, bias = (
        draw(*shape).detach().float() for shape in ((5, 3), (4, 3), (4,))
    )
    weight.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        assert product_dtype(x) == torch.bfloat16
        out = linear(x, weight, bias)
        torch.testing.assert_close(out, F.linear(x, weight, bias))
    out.float().sum().backward()
    assert (out.dtype, weight.grad.dtype) == (torch.bfloat16, torch.float32)


def test_without_autocast_products_keep_the_number_format(draw):
    assert product_dtype(draw(1)) == torch.float64


@pytest.fixture
def norm(draw):
    layer = nn.LayerNorm(6, eps=1e-3, dtype=torch.float64)
    layer.weight.data, layer.bias.data = draw(6).detach(), draw(6).detach()
    return layer


def test_add_norm_drops_scales_adds_and_norms(draw, norm):
    x, residual = draw(5, 6), draw(5, 6)
    mask = (draw(5, 6) > 0).double()
    out = add_norm(x, residual, norm, mask, 1.25)
    torch.testing.assert_close(out, norm(residual + 1.25 * mask * x))


@pytest.mark.parametrize("has_mask", [False, True])
def test_add_norm_has_true_gradients(draw, norm, has_mask):
    mask = (draw(5, 6) > 0).double() if has_mask else None
    scale = 1.25 if has_mask else 1.0

    def of_all(x, residual, weight, bias):
        own = nn.LayerNorm(6, eps=1e-3, dtype=torch.float64)
        own.weight, own.bias = weight, bias
        return add_norm(x, residual, own, mask, scale)

    parameters = (nn.Parameter(norm.weight), nn.Parameter(norm.bias))
    assert torch.autograd.gradcheck(of_all, (draw(5, 6), draw(5, 6), *parameters))


def test_add_norm_keeps_the_number_format_of_the_residual(draw, norm):
    x, residual = draw(5, 6).to(torch.bfloat16), draw(5, 6).float()
    out = add_norm(x, residual, norm.float(), None, 1.0)
    assert out.dtype == torch.float32
