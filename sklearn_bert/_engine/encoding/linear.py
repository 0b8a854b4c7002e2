"""Linear layers of a frozen encoder: oneDNN's packed product, or torch's own.

oneDNN's product with a pre-packed weight is up to 2.3 times ``F.linear`` in float32
on AMD processors, where torch hands ``F.linear`` to MKL, and it takes the activation
and the residual sum along at no cost. Its torch operators are private, so this file
is the only one that names them, and a numeric test guards their use.
"""

from functools import cache
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

_GELU = {"gelu": "none", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}
ACTIVATIONS = frozenset({*_GELU, "relu"})


def activate(x: Tensor, activation: str | None) -> Tensor:
    """Apply one of :data:`ACTIVATIONS`, or none; ``x`` may be overwritten."""
    if activation is None:
        return x
    if activation == "relu":
        return F.relu_(x)
    return F.gelu(x, approximate=_GELU[activation])


class Linear(Protocol):
    """What the two kinds of linear layer have in common."""

    def __call__(self, x: Tensor, activation: str | None = None) -> Tensor:
        """Return ``activation(x @ weight.T + bias)``: (n, in) to (n, out)."""

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return ``x @ weight.T + bias + residual``: (n, in), (n, out) to (n, out)."""


class PlainLinear:
    """torch's own linear layer, on any device and in any dtype.

    Parameters
    ----------
    weight : Tensor of shape (out, in)
    bias : Tensor of shape (out,)
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = weight
        self.bias = bias

    def __call__(self, x: Tensor, activation: str | None = None) -> Tensor:
        return activate(F.linear(x, self.weight, self.bias), activation)

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias).add_(residual)


class PackedLinear:
    """oneDNN's linear layer: CPU, float32 or bfloat16, weight packed once.

    Parameters
    ----------
    weight : Tensor of shape (out, in)
    bias : Tensor of shape (out,)
    """

    # The number of rows that the packed layout is chosen for; any number works.
    _ROWS = 1024

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        ops = torch.ops.mkldnn
        self._product = ops._linear_pointwise.default
        self._product_and_sum = ops._linear_pointwise.binary
        self.weight = ops._reorder_linear_weight(weight.contiguous(), self._ROWS)
        self.bias = bias.contiguous()

    def __call__(self, x: Tensor, activation: str | None = None) -> Tensor:
        if activation is None:
            fused: tuple[str, str] = ("none", "")
        elif activation == "relu":
            fused = ("relu", "")
        else:
            fused = ("gelu", _GELU[activation])
        return self._product(x, self.weight, self.bias, fused[0], [], fused[1])

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        return self._product_and_sum(x, residual, self.weight, self.bias, "add")


@cache
def packed_linear_works(dtype: torch.dtype) -> bool:
    """Tell whether oneDNN's packed product exists here and gives right numbers."""
    if dtype not in (torch.float32, torch.bfloat16):
        return False
    generator = torch.Generator().manual_seed(0)
    x, weight, bias, residual = (
        torch.randn(shape, generator=generator).to(dtype)
        for shape in ((37, 64), (48, 64), (48,), (37, 48))
    )
    tolerance = 1e-4 if dtype == torch.float32 else 0.25
    try:
        plain, packed = PlainLinear(weight, bias), PackedLinear(weight, bias)
        pairs = [(plain.add(x, residual), packed.add(x, residual))]
        pairs += [(plain(x, name), packed(x, name)) for name in (None, *ACTIVATIONS)]
    except (AttributeError, RuntimeError):
        # The operators are private: another torch may lack them or change them.
        return False
    return all(torch.allclose(a, b, rtol=0.0, atol=tolerance) for a, b in pairs)


def make_linear(weight: Tensor, bias: Tensor) -> Linear:
    """Return the fastest linear layer for where the weight lies and what it holds."""
    if weight.device.type == "cpu" and packed_linear_works(weight.dtype):
        return PackedLinear(weight, bias)
    return PlainLinear(weight, bias)
