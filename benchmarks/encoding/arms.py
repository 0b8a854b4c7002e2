"""The ways of encoding that are compared: strings to mean-pooled vectors of length 1.

Each class imports its library when it is instantiated, so that one missing library
stops no other arm and the memory of each is measured without the others.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.machine import cpu_has
from benchmarks.shared.setup import Arm, Setup, load_tokenizer

BATCH_SIZES = (8, 16, 32, 64, 128, 256)
BASELINE = "sentence-transformers-default"
# Of every arm without a batch size of its own, where memory is measured.
MEMORY_BATCH_SIZE = 32


@dataclass(frozen=True)
class Setting:
    """Texts per batch, None for the library's own choice; and a mode."""

    batch_size: int | None = None
    mode: str = ""

    def __str__(self) -> str:
        size = "own" if self.batch_size is None else str(self.batch_size)
        return f"{size} {self.mode}".strip()


@dataclass(frozen=True)
class EncodingArm(Arm):
    """One way of encoding.

    Attributes
    ----------
    modes : tuple of str
        The library's modes, each searched with every batch size; empty if the
        library's own batch size is used and nothing is searched.
    needs_onnx : bool
        Whether the checkpoint must be exported first.
    """

    modes: tuple[str, ...] = ()
    needs_onnx: bool = False

    def settings(
        self, n_texts: int, batch_sizes: Sequence[int] = BATCH_SIZES
    ) -> list[list[Setting]]:
        """Return what to search: for each mode, the batch sizes that differ."""
        if not self.modes:
            return [[Setting()]]
        # All sizes from the first one that takes all texts give the same batch.
        useful = [
            size
            for before, size in zip((0, *batch_sizes), batch_sizes, strict=False)
            if before < n_texts
        ]
        return [[Setting(size, mode) for size in useful] for mode in self.modes]


# What is timed: texts to vectors of shape (n_texts, hidden_size), in the texts' order.
Encoder = Callable[[list[str], Setting], np.ndarray]


class SklearnBert:
    """This package."""

    def __init__(self, setup: Setup, onnx: str, dtype: str) -> None:
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
            # Every arm truncates long documents; only this one warns.
            warnings.simplefilter("ignore")
            return self._vectorizer.transform(texts)


class SentenceTransformers:
    """sentence-transformers: sorts by characters, pads each batch."""

    def __init__(
        self, setup: Setup, onnx: str, dtype: str, attention: str = "sdpa"
    ) -> None:
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import (
            Normalize,
            Pooling,
            Transformer,
        )

        options = {"dtype": getattr(torch, dtype), "attn_implementation": attention}
        transformer = Transformer(
            setup.checkpoint, max_seq_length=setup.max_length, model_kwargs=options
        )
        pooling = Pooling(transformer.get_embedding_dimension(), "mean")
        self._torch = torch
        self._model = SentenceTransformer(
            modules=[transformer, pooling, Normalize()], device=setup.device
        )

    def __call__(self, texts: list[str], setting: Setting) -> np.ndarray:
        """Encode; the mode ``onednn`` lets torch use oneDNN's float32 products."""
        size = {} if setting.batch_size is None else {"batch_size": setting.batch_size}
        precision = self._torch.get_float32_matmul_precision()
        if setting.mode == "onednn":
            self._torch.set_float32_matmul_precision("medium")
        try:
            return self._model.encode(texts, show_progress_bar=False, **size)
        finally:
            self._torch.set_float32_matmul_precision(precision)


class _Padded:
    """Batches for the runtimes that make none: sorted by tokens, padded."""

    def __init__(self, setup: Setup) -> None:
        self._tokenizer = load_tokenizer(setup.checkpoint)
        self._tokenizer.enable_truncation(setup.max_length)

    def _map(
        self,
        texts: list[str],
        batch_size: int,
        run: Callable[[list[int], dict[str, np.ndarray]], None],
    ) -> None:
        """Call ``run`` with the row numbers of each batch and the batch."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            padded, mask = pad([ids[row] for row in rows])
            run(rows, {"input_ids": padded, "attention_mask": mask})


class OnnxRuntime(_Padded):
    """ONNX Runtime with all its graph optimizations."""

    def __init__(self, setup: Setup, onnx: str, dtype: str) -> None:
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
            onnx, options, providers=[(provider, on)]
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

    def __init__(self, setup: Setup, onnx: str, dtype: str) -> None:
        import openvino

        super().__init__(setup)
        core = openvino.Core()
        model = core.read_model(Path(onnx))
        precision = {"float32": "f32", "bfloat16": "bf16"}[dtype]

        def queue(hint: str, n_requests: int) -> Any:
            options = {
                "INFERENCE_PRECISION_HINT": precision,
                "INFERENCE_NUM_THREADS": setup.n_threads,
                "PERFORMANCE_HINT": hint,
            }
            compiled = core.compile_model(model, "CPU", options)
            return openvino.AsyncInferQueue(compiled, n_requests)

        # One request runs batch after batch; 0 means OpenVINO's own number.
        modes = {"": ("LATENCY", 1), "async": ("THROUGHPUT", 0)}
        self._queue = cache(lambda mode: queue(*modes[mode]))

    def __call__(self, texts: list[str], setting: Setting) -> np.ndarray:
        """Encode; the mode ``async`` distributes the batches over streams."""
        queue = self._queue(setting.mode)
        out: dict[int, np.ndarray] = {}

        def keep(request: Any, rows: list[int]) -> None:
            # The next batch overwrites the request's memory.
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


def pad(ids: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and mask of shape (n, longest), padded with 0 on the right."""
    longest = max(len(row) for row in ids)
    padded = np.zeros((len(ids), longest), dtype=np.int64)
    mask = np.zeros_like(padded)
    for row, values in enumerate(ids):
        padded[row, : len(values)] = values
        mask[row, : len(values)] = 1
    return padded, mask


def all_arms() -> Iterator[EncodingArm]:
    """Yield every arm, ours first."""
    peer: Any = (SentenceTransformers, "sentence_transformers")
    flash: Any = partial(SentenceTransformers, attention="flash_attention_2")
    # torch's own switch to oneDNN; with AMX it would no longer be float32.
    switch = ("", "onednn") if not cpu_has("amx_bf16") else ("",)
    runtime: Any = {"devices": ("cpu",), "modes": ("", "async"), "needs_onnx": True}
    bf16 = "bfloat16"
    yield EncodingArm("sklearn_bert-float32", SklearnBert, "sklearn_bert")
    yield EncodingArm("sklearn_bert-bfloat16", SklearnBert, "sklearn_bert", bf16)
    yield EncodingArm(BASELINE, *peer)
    yield EncodingArm("sentence-transformers-float32", *peer, modes=switch)
    yield EncodingArm("sentence-transformers-bfloat16", *peer, bf16, modes=("",))
    name, on_gpu = "sentence-transformers-flash", ("cuda",)
    yield EncodingArm(name, flash, "flash_attn", bf16, on_gpu, ("",))
    on = {**runtime, "devices": ("cpu", "cuda"), "modes": ("",)}
    yield EncodingArm("onnxruntime-float32", OnnxRuntime, "onnxruntime", **on)
    yield EncodingArm("openvino-float32", OpenVino, "openvino", **runtime)
    yield EncodingArm("openvino-bfloat16", OpenVino, "openvino", bf16, **runtime)


def encode_once(name: str, setup: Setup, onnx: str, texts: list[str]) -> None:
    """Encode with one arm, alone in a process whose peak memory is measured."""
    arm = next(arm for arm in all_arms() if arm.name == name)
    setting = Setting(MEMORY_BATCH_SIZE) if arm.modes else Setting()
    arm.make(setup, onnx, arm.dtype)(texts, setting)
