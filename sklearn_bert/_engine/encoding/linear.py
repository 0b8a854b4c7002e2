"""Linear layers of a frozen encoder, by oneDNN with packed weights or by torch.

With packed weights, oneDNN is up to 2.3 times as fast as ``F.linear`` in float32 on AMD
processors with AVX512, where torch uses MKL for ``F.linear``. It also computes the
activation and the residual sum at no cost. Its torch operators are private, so a
numeric test guards their use.

With AVX2 but not AVX512 it is the other way around, as measured on an AMD processor:
MKL is faster, except for few rows, and inside oneDNN's products an activation takes
half as long as the product.
"""

import logging
from functools import cache
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor

from sklearn_bert._engine.compat.torch_private import packed_linear_operators
from sklearn_bert._engine.runtime.memory import raise_if_out_of_memory

_LOGGER = logging.getLogger("sklearn_bert")
_GELU = {"gelu": "none", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}
ACTIVATIONS = frozenset({*_GELU, "relu"})
# The number of rows for which the packed layout is optimized; any number works.
_ROWS = 1024
# Where MKL is faster for many rows, oneDNN is not slower for fewer rows than this.
_MANY_ROWS = 128


def activate(x: Tensor, activation: str | None) -> Tensor:
    """Apply one of :data:`ACTIVATIONS`, or none; ``x`` may be overwritten."""
    if activation is None:
        return x
    if activation == "relu":
        return F.relu_(x)
    return F.gelu(x, approximate=_GELU[activation])


class PlainLinear:
    """A linear layer by torch, on any device and in any dtype.

    Parameters
    ----------
    weight : Tensor of shape (out, in)
    bias : Tensor of shape (out,)
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = weight
        self.bias = bias

    def __call__(self, x: Tensor, activation: str | None = None) -> Tensor:
        """Return ``activation(x @ weight.T + bias)``: (n, in) to (n, out)."""
        return activate(F.linear(x, self.weight, self.bias), activation)

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return ``x @ weight.T + bias + residual``: (n, in), (n, out) to (n, out)."""
        return F.linear(x, self.weight, self.bias).add_(residual)


class PackedLinear:
    """A linear layer by oneDNN with a packed weight: CPU, float32 or bfloat16.

    It requires :func:`packed_linear_works`.

    Parameters
    ----------
    weight : Tensor of shape (out, in)
    bias : Tensor of shape (out,)
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        operators = packed_linear_operators()
        assert operators is not None
        pack, self._product, self._product_and_sum = operators
        self.weight = pack(weight.contiguous(), _ROWS)
        self.bias = bias.contiguous()

    def __call__(self, x: Tensor, activation: str | None = None) -> Tensor:
        """Return what :class:`PlainLinear` returns."""
        if activation is None:
            fused: tuple[str, str] = ("none", "")
        elif activation == "relu":
            fused = ("relu", "")
        else:
            fused = ("gelu", _GELU[activation])
        return self._product(x, self.weight, self.bias, fused[0], [], fused[1])

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return what :meth:`PlainLinear.add` returns."""
        return self._product_and_sum(x, residual, self.weight, self.bias, "add")


class SizedLinear:
    """A linear layer with packed weights for few rows, and by torch for many.

    Activations are computed after the products.

    Parameters
    ----------
    weight : Tensor of shape (out, in)
    bias : Tensor of shape (out,)
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._packed = PackedLinear(weight, bias)
        self._plain = PlainLinear(weight, bias)

    def __call__(self, x: Tensor, activation: str | None = None) -> Tensor:
        """Return what :class:`PlainLinear` returns."""
        return activate(self._choose(x)(x), activation)

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return what :meth:`PlainLinear.add` returns."""
        return self._choose(x).add(x, residual)

    def _choose(self, x: Tensor) -> PackedLinear | PlainLinear:
        return self._packed if len(x) < _MANY_ROWS else self._plain


@cache
def packed_linear_works(dtype: torch.dtype) -> bool:
    """Return whether oneDNN's packed product exists and is correct on this machine."""
    if dtype not in (torch.float32, torch.bfloat16):
        return False
    if packed_linear_operators() is None:
        _LOGGER.debug("oneDNN's linear layer is not used: torch lacks its operators.")
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
    # Another version of torch may have changed the operators, or lack their kernels.
    except RuntimeError as error:
        raise_if_out_of_memory(error)
        _LOGGER.debug("oneDNN's linear layer is not used: it failed with %r.", error)
        return False
    is_right = all(torch.allclose(a, b, rtol=0.0, atol=tolerance) for a, b in pairs)
    if not is_right:
        _LOGGER.debug("oneDNN's linear layer is not used: its results are wrong.")
    return is_right


def end_of_packed(device: torch.device, dtype: torch.dtype) -> float:
    """Return the number of rows at and above which products are not packed.

    It is 0 where none is packed, and infinite where all are.
    """
    if device.type != "cpu" or not packed_linear_works(dtype):
        return 0
    # A measurement would not choose the same in each process, and the features would
    # differ by their rounding.
    is_avx2 = torch.backends.cpu.get_cpu_capability() == "AVX2"
    has_mkl = torch.backends.mkl.is_available() and dtype == torch.float32
    return _MANY_ROWS if is_avx2 and has_mkl else inf


Linear = PlainLinear | PackedLinear | SizedLinear


def make_linear(weight: Tensor, bias: Tensor) -> Linear:
    """Return the fastest linear layer for the device and dtype of the weight."""
    end = end_of_packed(weight.device, weight.dtype)
    if end == 0:
        return PlainLinear(weight, bias)
    return PackedLinear(weight, bias) if end == inf else SizedLinear(weight, bias)
