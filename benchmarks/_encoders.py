"""One class per library: raw strings in, mean-pooled vectors of length 1 out.

Each imports its library when it is made, so that a missing one stops nobody else
and no library's memory counts for another.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from _data import load_tokenizer, pad


@dataclass(frozen=True)
class Setup:
    """What all arms are given alike.

    Attributes
    ----------
    checkpoint : str
        Folder.
    onnx : str
        File of the exported checkpoint.
    max_length : int
    device : str
    n_threads : int
    """

    checkpoint: str
    onnx: str
    max_length: int
    device: str
    n_threads: int


@dataclass(frozen=True)
class Setting:
    """Texts per batch, None for the library's own choice; and a way of running."""

    batch_size: int | None = None
    mode: str = ""

    def __str__(self) -> str:
        size = "own" if self.batch_size is None else str(self.batch_size)
        return f"{size} {self.mode}".strip()


class Encoder(Protocol):
    """What is timed."""

    def __init__(self, setup: Setup, dtype: str) -> None: ...

    def __call__(self, texts: list[str], setting: Setting) -> np.ndarray:
        """Return vectors of shape (n_texts, hidden_size), in the texts' order."""
        ...


class SklearnBert:
    """This package."""

    def __init__(self, setup: Setup, dtype: str) -> None:
        from sklearn_bert import BertVectorizer

        self._vectorizer = BertVectorizer(
            model=setup.checkpoint,
            pooling="mean",
            normalize=True,
            max_length=setup.max_length,
            device=setup.device,
            dtype=dtype,
        )

    def __call__(self, texts: list[str], setting: Setting) -> np.ndarray:
        """Encode with the package's own batch plan."""
        with warnings.catch_warnings():
            # Long documents are cut in every arm; only this one says so.
            warnings.simplefilter("ignore")
            return self._vectorizer.transform(texts)


class SentenceTransformers:
    """sentence-transformers: sorts by characters, pads each batch."""

    def __init__(self, setup: Setup, dtype: str, attention: str = "sdpa") -> None:
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import (
            Normalize,
            Pooling,
            Transformer,
        )

        transformer = Transformer(
            setup.checkpoint,
            max_seq_length=setup.max_length,
            model_kwargs={
                "dtype": getattr(torch, dtype),
                "attn_implementation": attention,
            },
        )
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        self._torch = torch
        self._model = SentenceTransformer(
            modules=[transformer, pooling, Normalize()], device=setup.device
        )

    def __call__(self, texts: list[str], setting: Setting) -> np.ndarray:
        """Encode; the mode ``onednn`` lets torch take oneDNN's float32 products."""
        size = {} if setting.batch_size is None else {"batch_size": setting.batch_size}
        precision = self._torch.get_float32_matmul_precision()
        if setting.mode == "onednn":
            self._torch.set_float32_matmul_precision("medium")
        try:
            return self._model.encode(texts, show_progress_bar=False, **size)
        finally:
            self._torch.set_float32_matmul_precision(precision)


class PlainTransformers:
    """The tokenizer and the forward of transformers, one text at a time."""

    def __init__(self, setup: Setup, dtype: str) -> None:
        import torch
        from _checkpoint import MeanPooled
        from transformers import AutoTokenizer

        self._inference_mode = torch.inference_mode
        self._tokenizer = AutoTokenizer.from_pretrained(setup.checkpoint)
        model = MeanPooled(setup.checkpoint, getattr(torch, dtype), "sdpa")
        self._model = model.to(setup.device)
        self._setup = setup

    def __call__(self, texts: list[str], setting: Setting) -> np.ndarray:
        """Encode one text after the other."""
        return np.concatenate([self._encode(text) for text in texts])

    def _encode(self, text: str) -> np.ndarray:
        with self._inference_mode():
            inputs = self._tokenizer(
                text,
                truncation=True,
                max_length=self._setup.max_length,
                return_tensors="pt",
            ).to(self._setup.device)
            vectors = self._model(inputs["input_ids"], inputs["attention_mask"])
            return vectors.float().cpu().numpy()


class _Padded:
    """Batches for the runtimes that bring none: sorted by tokens, padded."""

    def __init__(self, setup: Setup) -> None:
        self._tokenizer = load_tokenizer(setup.checkpoint)
        self._tokenizer.enable_truncation(setup.max_length)
        self.n_positions = 0

    def _map(
        self,
        texts: list[str],
        batch_size: int,
        run: Callable[[list[int], dict[str, np.ndarray]], None],
    ) -> None:
        """Give each batch, with the rows it holds, to ``run``."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            padded, mask = pad([ids[row] for row in rows])
            self.n_positions += padded.size
            run(rows, {"input_ids": padded, "attention_mask": mask})


class OnnxRuntime(_Padded):
    """ONNX Runtime with all its graph optimisations."""

    def __init__(self, setup: Setup, dtype: str) -> None:
        import onnxruntime

        super().__init__(setup)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = setup.n_threads
        kind, _, index = setup.device.partition(":")
        provider = f"{kind.upper()}ExecutionProvider"
        if provider not in onnxruntime.get_available_providers():
            raise RuntimeError(f"no {provider}: pip install onnxruntime-gpu")
        on = {"device_id": index or "0"} if kind == "cuda" else {}
        self._session = onnxruntime.InferenceSession(
            setup.onnx, options, providers=[(provider, on)]
        )

    def __call__(self, texts: list[str], setting: Setting) -> np.ndarray:
        """Encode batch after batch."""
        out: dict[int, np.ndarray] = {}

        def run(rows: list[int], inputs: dict[str, np.ndarray]) -> None:
            out.update(zip(rows, self._session.run(None, inputs)[0], strict=True))

        self._map(texts, setting.batch_size or 32, run)
        return np.stack([out[row] for row in range(len(texts))])


class OpenVino(_Padded):
    """OpenVINO, either one batch on all threads or several batches at a time."""

    def __init__(self, setup: Setup, dtype: str) -> None:
        import openvino

        super().__init__(setup)
        core = openvino.Core()
        model = core.read_model(Path(setup.onnx))
        precision = {"float32": "f32", "bfloat16": "bf16"}[dtype]

        def queue(hint: str, n_requests: int) -> Any:
            options = {
                "INFERENCE_PRECISION_HINT": precision,
                "INFERENCE_NUM_THREADS": setup.n_threads,
                "PERFORMANCE_HINT": hint,
            }
            compiled = core.compile_model(model, "CPU", options)
            return openvino.AsyncInferQueue(compiled, n_requests)

        # One request runs batch after batch; 0 stands for OpenVINO's own number.
        modes = {"": ("LATENCY", 1), "async": ("THROUGHPUT", 0)}
        self._queue = cache(lambda mode: queue(*modes[mode]))
        self._queue("")

    def __call__(self, texts: list[str], setting: Setting) -> np.ndarray:
        """Encode; the mode ``async`` spreads the batches over streams."""
        queue = self._queue(setting.mode)
        out: dict[int, np.ndarray] = {}

        def keep(request: Any, rows: list[int]) -> None:
            # The request's memory is used again by the next batch.
            vectors = request.get_output_tensor(0).data.copy()
            out.update(zip(rows, vectors, strict=True))

        queue.set_callback(keep)
        self._map(
            texts,
            setting.batch_size or 32,
            lambda rows, inputs: queue.start_async(inputs, rows),
        )
        queue.wait_all()
        return np.stack([out[row] for row in range(len(texts))])
