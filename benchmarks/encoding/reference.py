"""The right vectors in float64, and how fast this machine could compute them."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.encoding.arms import pad
from benchmarks.shared.measuring import stopwatch, synchronizer

# Rows of one product: what fills the caches of a CPU, and what fills a GPU.
ROWS_ON_CPU = 1024
ROWS_ON_GPU = 16384


class MeanPooled(nn.Module):
    """An encoder of transformers with mean pooling to vectors of length 1.

    Parameters
    ----------
    checkpoint : str
    dtype : torch.dtype
    attention : str
        The attention implementation of transformers.
    """

    def __init__(self, checkpoint: str, dtype: torch.dtype, attention: str) -> None:
        from transformers import AutoModel

        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            checkpoint, dtype=dtype, attn_implementation=attention
        ).eval()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return vectors of shape (n, hidden_size) for ids of shape (n, length)."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state
        kept = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return nn.functional.normalize((hidden * kept).sum(1) / kept.sum(1))


def export_onnx(checkpoint: str, file: str) -> None:
    """Write encoder, pooling and normalization as ONNX, with both sizes dynamic."""
    # The optimizers of ONNX Runtime and OpenVINO recognize eager attention. The older
    # exporter does not need onnxscript.
    model = MeanPooled(checkpoint, torch.float32, "eager")
    names = ["input_ids", "attention_mask"]
    free = {0: "texts", 1: "tokens"}
    example = torch.ones(2, 8, dtype=torch.long)
    with warnings.catch_warnings():
        # The exporter warns of what it might get wrong; the comparison with the
        # reference shows whether it did.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (example, example.clone()),
            file,
            input_names=names,
            output_names=["vectors"],
            dynamic_axes={**dict.fromkeys(names, free), "vectors": {0: "texts"}},
            opset_version=17,
            dynamo=False,
        )


class Reference:
    """The encoder in float64, padded and plain: its vectors and its operations."""

    def __init__(self, checkpoint: str, device: str) -> None:
        self._model = MeanPooled(checkpoint, torch.float64, "sdpa").to(device)
        self._device = device
        config: Any = self._model.encoder.config
        self._attention_flops = 4 * config.num_hidden_layers * config.hidden_size
        self.linear_shapes = self._watch_linears()

    @torch.inference_mode()
    def vectors(self, ids: Sequence[Sequence[int]]) -> np.ndarray:
        """Return vectors of shape (n, hidden_size) for unpadded token ids."""
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        parts = [
            self._forward([ids[row] for row in order[start : start + 8]])
            for start in range(0, len(order), 8)
        ]
        out = np.empty((len(ids), parts[0].shape[1]))
        out[order] = torch.cat(parts).cpu().numpy()
        return out

    def flops(self, lengths: Sequence[int]) -> float:
        """Return the operations that texts of these lengths need, without padding."""
        per_token = 2 * sum(n_in * n_out for n_in, n_out in self.linear_shapes)
        squares = sum(length**2 for length in lengths)
        return float(per_token * sum(lengths) + self._attention_flops * squares)

    def _forward(self, ids: Sequence[Sequence[int]]) -> Tensor:
        padded, mask = (torch.from_numpy(part).to(self._device) for part in pad(ids))
        return self._model(padded, mask)

    @torch.inference_mode()
    def _watch_linears(self) -> list[tuple[int, int]]:
        """Return (inputs, outputs) of every product that one forward pass applies."""
        shapes: list[tuple[int, int]] = []

        def note(module: nn.Linear, inputs: tuple[Tensor, ...], _: Tensor) -> None:
            # (texts, tokens, features): a pooler sees one vector per text only.
            if inputs[0].dim() == 3:
                shapes.append((module.in_features, module.out_features))

        hooks = [
            module.register_forward_hook(note)
            for module in self._model.modules()
            if isinstance(module, nn.Linear)
        ]
        self._forward([[1, 1]])
        for hook in hooks:
            hook.remove()
        return shapes


def cosine_distances(vectors: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return 1 − cosine of each pair of rows, exact also where it is tiny."""
    first, second = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True)
        for rows in (vectors.astype(np.float64), reference)
    )
    # |a − b|² / 2 for unit vectors: 1 − a·b would lose all digits near 0.
    return ((first - second) ** 2).sum(axis=1) / 2


def gemm_ceiling(
    shapes: Sequence[tuple[int, int]], dtype: torch.dtype, device: str, repeats: int
) -> float:
    """Return the FLOP/s of an encoder that consists of its matrix products alone.

    Parameters
    ----------
    shapes : sequence of (int, int)
        Inputs and outputs of each linear layer.
    dtype : torch.dtype
    device : str
    repeats : int
        The best of so many runs counts: noise only ever lowers a speed.
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
    """Yield oneDNN's product with a reordered weight, where torch has it.

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
