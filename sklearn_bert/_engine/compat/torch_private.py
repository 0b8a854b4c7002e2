"""Private names of torch.

Another version may lack them or give them another meaning. Where a fallback would give
other results or none, the caller tests what it is given.
"""

from typing import Any, NamedTuple

import torch


class PackedLinearOperators(NamedTuple):
    """oneDNN's linear layer with a packed weight.

    Attributes
    ----------
    pack : callable
        From a weight and a number of rows to the packed weight.
    product, product_and_sum : callable
    """

    pack: Any
    product: Any
    product_and_sum: Any


def packed_linear_operators() -> PackedLinearOperators | None:
    """Return oneDNN's operators; None where torch lacks them."""
    operators = torch.ops.mkldnn
    try:
        return PackedLinearOperators(
            operators._reorder_linear_weight,
            operators._linear_pointwise.default,
            operators._linear_pointwise.binary,
        )
    except AttributeError:
        return None


def has_avx512_bf16() -> bool:
    """Tell whether the CPU has AVX512_BF16; no if torch does not say."""
    return getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()


def has_amx() -> bool:
    """Tell whether the CPU has AMX; no if torch does not say."""
    return getattr(torch.cpu, "_is_amx_tile_supported", bool)()


def is_forked_from_cuda() -> bool:
    """Tell whether this process was forked from one that used a GPU.

    No if torch does not say; its own error about it comes later then.
    """
    return getattr(torch.cuda, "_is_in_bad_fork", bool)()
