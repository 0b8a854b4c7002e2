"""How fast this machine multiplies matrices, and how much padding was multiplied."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from _measure import stopwatch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Rows of one product: what fills the caches of a CPU, and what fills a GPU.
ROWS_ON_CPU = 1024
ROWS_ON_GPU = 16384


def synchronizer(device: str) -> Callable[[], None]:
    """Return what waits until a device has done all its work."""
    if device.startswith("cuda"):
        return torch.cuda.synchronize
    if device.startswith("mps"):
        return torch.mps.synchronize
    return lambda: None


def gemm_ceiling(
    shapes: Sequence[tuple[int, int]], dtype: torch.dtype, device: str, repeats: int
) -> float:
    """Return the FLOP/s of an encoder that were nothing but its matrix products.

    Parameters
    ----------
    shapes : sequence of (int, int)
        Inputs and outputs of each linear layer.
    dtype : torch.dtype
    device : str
    repeats : int
        The best of so many runs counts: a ceiling has no noise from above.
    """
    rows = ROWS_ON_CPU if device == "cpu" else ROWS_ON_GPU
    flops = seconds = 0.0
    for (n_in, n_out), n_layers in Counter(shapes).items():
        flops += n_layers * 2 * rows * n_in * n_out
        seconds += n_layers * _best_seconds(rows, n_in, n_out, dtype, device, repeats)
    return flops / seconds


def _best_seconds(
    rows: int, n_in: int, n_out: int, dtype: torch.dtype, device: str, repeats: int
) -> float:
    x = torch.randn(rows, n_in, device=device, dtype=dtype)
    weight = torch.randn(n_out, n_in, device=device, dtype=dtype)
    bias = torch.randn(n_out, device=device, dtype=dtype)
    synchronize = synchronizer(device)
    products = [lambda: F.linear(x, weight, bias), *_packed_product(x, weight, bias)]
    with torch.inference_mode():
        for product in products:
            product()
        return min(
            stopwatch(product, synchronize)
            for _ in range(repeats)
            for product in products
        )


def _packed_product(
    x: Tensor, weight: Tensor, bias: Tensor
) -> Iterable[Callable[[], Tensor]]:
    """Give oneDNN's product with a reordered weight, where torch has it.

    On some CPUs ``F.linear`` takes a slower path, which would be too low a ceiling.
    """
    ops: Any = torch.ops.mkldnn
    if x.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return
    try:
        packed = ops._reorder_linear_weight(weight, x.shape[0])
        ops._linear_pointwise(x, packed, bias, "none", [], "")
    except (AttributeError, RuntimeError):
        # Private operations: a torch without them has F.linear alone.
        return
    yield lambda: ops._linear_pointwise(x, packed, bias, "none", [], "")


class PositionCounter(TorchDispatchMode):
    """Counts the token positions that torch looks up in the word embeddings.

    All that a library computes passes there once, so this is a measurement of its
    padding, whatever it says about itself. Other threads are not seen.
    """

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self._vocabulary_size = vocabulary_size
        self.n_positions = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if (
            func is torch.ops.aten.embedding.default
            and args[0].shape[0] == self._vocabulary_size
        ):
            self.n_positions += args[1].numel()
        return func(*args, **(kwargs or {}))
