"""Operations of training with explicit gradients.

torch derives gradients operation by operation. The explicit gradients of the large
operations of a layer avoid copies: weights are rounded to the dtype of the products
once, their gradients have the layout of the weights, and dropout, residual sum and norm
are one step.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sklearn_bert._engine.compat.torch_private import layer_norm_backward

# Products in bfloat16 are compiled for each new number of rows, which takes several
# times as long as the product.
_ROW_STEP = 64


def product_dtype(x: Tensor) -> torch.dtype:
    """Return the dtype of products with ``x``, which autocast may set."""
    kind = x.device.type
    if torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    return x.dtype


def pad_rows(n_rows: int, weight: Tensor) -> int:
    """Return the padded number of rows of a product with ``weight``."""
    if weight.device.type != "cpu" or product_dtype(weight) != torch.bfloat16:
        return n_rows
    return -(-n_rows // _ROW_STEP) * _ROW_STEP


class _Linear(torch.autograd.Function):
    """``x @ weight.T + bias`` in a dtype other than that of the weights."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        dtype = product_dtype(x)
        low_x, low_weight = x.to(dtype), weight.to(dtype)
        ctx.save_for_backward(low_x, low_weight)
        ctx.dtypes = x.dtype, weight.dtype
        return F.linear(low_x, low_weight, bias.to(dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        x_dtype, weight_dtype = ctx.dtypes
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            (grad @ weight).to(x_dtype) if of_x else None,
            (grad.T @ x).to(weight_dtype) if of_weight else None,
            grad.sum(0).to(weight_dtype) if of_bias else None,
        )


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``x @ weight.T + bias`` in the dtype of products.

    Parameters
    ----------
    x : Tensor of shape (n, in)
    weight : Tensor of shape (out, in)
    bias : Tensor of shape (out,)

    Returns
    -------
    Tensor of shape (n, out)
    """
    return _Linear.apply(x, weight, bias)


class _AddNorm(torch.autograd.Function):
    """``norm(residual + scale * mask * x)``."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        residual: Tensor,
        weight: Tensor,
        bias: Tensor,
        eps: float,
        mask: Tensor | None,
        scale: float,
    ) -> Tensor:
        kept = x if mask is None else x * mask
        total = torch.add(residual, kept, alpha=scale)
        out, mean, rstd = torch.native_layer_norm(
            total, weight.shape, weight, bias, eps
        )
        ctx.save_for_backward(total, mean, rstd, weight, bias, mask)
        ctx.scale, ctx.x_dtype = scale, x.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        total, mean, rstd, weight, bias, mask = ctx.saved_tensors
        of_total, of_weight, of_bias = layer_norm_backward(
            grad, total, mean, rstd, weight, bias
        )
        of_x = of_total if ctx.scale == 1 else of_total * ctx.scale
        of_x = of_x.to(ctx.x_dtype)
        if mask is not None:
            of_x = of_x * mask
        return of_x, of_total, of_weight, of_bias, None, None, None


def add_norm(
    x: Tensor,
    residual: Tensor,
    norm: nn.LayerNorm,
    mask: Tensor | None,
    scale: float,
) -> Tensor:
    """Return ``norm(residual + scale * mask * x)``.

    Parameters
    ----------
    x : Tensor of shape (n, size)
    residual : Tensor of shape (n, size)
    norm : nn.LayerNorm
    mask : Tensor of shape (n, size) or None
        Zeros and ones in the dtype of ``x``; None means all ones.
    scale : float

    Returns
    -------
    Tensor of shape (n, size)
        In the dtype of ``residual``.
    """
    return _AddNorm.apply(x, residual, norm.weight, norm.bias, norm.eps, mask, scale)
