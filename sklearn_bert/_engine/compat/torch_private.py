"""Private names of torch.

Another version may lack or change them. If a fallback would change the results, the
caller tests the private function.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor


def packed_linear_operators() -> tuple[Any, Any, Any] | None:
    """Return three operators of oneDNN; None where torch lacks them.

    The first packs a weight for a number of rows, the second multiplies by it, and the
    third also adds to the product.
    """
    operators = torch.ops.mkldnn
    try:
        return (
            operators._reorder_linear_weight,
            operators._linear_pointwise.default,
            operators._linear_pointwise.binary,
        )
    except AttributeError:
        return None


def has_avx512_bf16() -> bool:
    """Tell whether the CPU has AVX512_BF16; False if torch cannot tell."""
    return getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()


def has_amx() -> bool:
    """Tell whether the CPU has AMX; False if torch cannot tell."""
    return getattr(torch.cpu, "_is_amx_tile_supported", bool)()


def is_forked_from_cuda() -> bool:
    """Tell whether this process was forked from one that used a GPU.

    False if torch cannot tell, which then raises an error later.
    """
    return getattr(torch.cuda, "_is_in_bad_fork", bool)()


def multiply_all(tensors: Sequence[Tensor], factor: float | Tensor) -> None:
    """Multiply tensors in place by one factor.

    The public clip_grads_with_norm_ would divide by the norm plus 1e-6.
    """
    if multiply := getattr(torch, "_foreach_mul_", None):
        multiply(tensors, factor)
        return
    for tensor in tensors:
        tensor.mul_(factor)


def copy_all(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    """Copy tensors into others of the same shapes."""
    if copy := getattr(torch, "_foreach_copy_", None):
        copy(targets, sources)
        return
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)


def softmax_backward(grad: Tensor, softmax: Tensor) -> Tensor:
    """Return the gradient of the scores of a softmax over the last axis.

    Parameters
    ----------
    grad, softmax : Tensor of shape (..., n)
        The gradient of the softmax, and what it returned.
    """
    if backward := getattr(torch, "_softmax_backward_data", None):
        return backward(grad, softmax, -1, softmax.dtype)
    return softmax * (grad - (grad * softmax).sum(-1, keepdim=True))


def layer_norm_backward(
    grad: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of ``x``, ``weight`` and ``bias``.

    Parameters
    ----------
    grad, x : Tensor of shape (n, size)
    mean, rstd : Tensor of shape (n, 1)
        What ``torch.native_layer_norm`` returned besides the result.
    weight, bias : Tensor of shape (size,)
    """
    operators = torch.ops.aten
    if backward := getattr(operators, "native_layer_norm_backward", None):
        return backward(grad, x, weight.shape, mean, rstd, weight, bias, [True] * 3)
    normal, scaled = (x - mean) * rstd, grad * weight
    along = normal * (scaled * normal).mean(-1, keepdim=True)
    of_x = rstd * (scaled - scaled.mean(-1, keepdim=True) - along)
    return of_x, (grad * normal).sum(0), grad.sum(0)


def end_allocation_to_pool(index: int, pool: Any) -> None:
    """Let a GPU allocate outside the pool of a CUDA graph whose recording failed.

    Without the name, later tensors take memory that only graphs could use.
    """
    with suppress(AttributeError, RuntimeError, TypeError):
        torch._C._cuda_endAllocateToPool(index, pool)
