"""Which ways of encoding are compared."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from _encoders import (
    Encoder,
    OnnxRuntime,
    OpenVino,
    PlainTransformers,
    SentenceTransformers,
    Setting,
    Setup,
    SklearnBert,
)
from _report import cpu_info

BATCH_SIZES = (8, 16, 32, 64, 128, 256)
BASELINE = "sentence-transformers-default"
# What a single text is compared with.
ONE_TEXT_BASELINE = "transformers-float32"
# Of every arm that has no batch size of its own: memory is compared at the same one.
MEMORY_BATCH_SIZE = 32


def why_no_bfloat16(kind: str) -> str | None:
    """Say why a kind of device does not multiply bfloat16; None if it does."""
    if kind == "cpu" and not cpu_has("avx512_bf16", "amx_bf16", "bf16"):
        return "not run: no bfloat16 instructions known of this CPU"
    if kind == "cuda":
        import torch

        if not torch.cuda.is_bf16_supported(including_emulation=False):
            return "not run: no bfloat16 instructions on this GPU"
    return None


@dataclass(frozen=True)
class Candidate:
    """A library in one of its ways of doing a job.

    Attributes
    ----------
    name : str
    library : type
        Does the job.
    module : str
        What must be importable.
    requirement : str
        What to install if it is not.
    dtype : {"float32", "bfloat16", "auto"}
    options : tuple of (str, object)
        More keywords of the library.
    devices : tuple of str
    """

    name: str
    library: type[Any]
    module: str
    requirement: str
    dtype: str = "float32"
    options: tuple[tuple[str, Any], ...] = ()
    devices: tuple[str, ...] = ("cpu", "cuda", "mps")

    def reason_not_to_run(self, device: str) -> str | None:
        """Say why this arm cannot run here, in the words of the tables."""
        kind = device.partition(":")[0]
        if kind not in self.devices:
            return f"not run: needs a device of {' or '.join(self.devices)}"
        if importlib.util.find_spec(self.module) is None:
            return f"missing: pip install {self.requirement}"
        return why_no_bfloat16(kind) if self.dtype == "bfloat16" else None


@dataclass(frozen=True)
class Arm(Candidate):
    """One way of encoding.

    Attributes
    ----------
    modes : tuple of str
        The library's ways of running, each searched with every batch size.
    is_fixed : bool
        Whether the library's own batch size is used and nothing is searched.
    """

    modes: tuple[str, ...] = ("",)
    is_fixed: bool = False

    @property
    def needs_onnx(self) -> bool:
        """Whether the checkpoint must be exported first."""
        return self.library in (OnnxRuntime, OpenVino)

    @property
    def is_for_one_text(self) -> bool:
        """Whether the arm has no batches and runs in the set ``one`` only."""
        return self.library is PlainTransformers

    def fixed_setting(self, n_texts: int) -> Setting:
        """Return what needs no search: the own batch size, or one batch for all."""
        return Setting() if self.is_fixed else Setting(n_texts)

    def build(self, setup: Setup) -> Encoder:
        """Load the library and the model."""
        return self.library(setup, self.dtype, **dict(self.options))

    def settings(
        self, n_texts: int, batch_sizes: tuple[int, ...]
    ) -> list[list[Setting]]:
        """Return what to search: for each mode, the batch sizes that differ."""
        if self.is_fixed:
            return [[Setting()]]
        # Beyond the first size that takes all texts, nothing changes any more.
        useful = [
            size
            for before, size in zip((0, *batch_sizes), batch_sizes, strict=False)
            if before < n_texts
        ]
        return [[Setting(size, mode) for size in useful] for mode in self.modes]


def all_arms() -> Iterator[Arm]:
    """Yield every arm, ours first."""
    for dtype in ("float32", "bfloat16"):
        yield Arm(
            f"sklearn_bert-{dtype}",
            SklearnBert,
            "sklearn_bert",
            "sklearn-bert",
            dtype,
            is_fixed=True,
        )
    peer: Any = (SentenceTransformers, "sentence_transformers", "sentence-transformers")
    yield Arm(BASELINE, *peer, is_fixed=True)
    # torch's own switch to oneDNN; with AMX it would no longer be float32.
    modes = ("", "onednn") if not cpu_has("amx_bf16") else ("",)
    yield Arm("sentence-transformers-float32", *peer, modes=modes)
    yield Arm("sentence-transformers-bfloat16", *peer, "bfloat16")
    yield Arm(
        "sentence-transformers-flash",
        SentenceTransformers,
        "flash_attn",
        "flash-attn",
        "bfloat16",
        options=(("attention", "flash_attention_2"),),
        devices=("cuda",),
    )
    yield Arm(
        "onnxruntime-float32",
        OnnxRuntime,
        "onnxruntime",
        "onnxruntime",
        devices=("cpu", "cuda"),
    )
    for dtype in ("float32", "bfloat16"):
        yield Arm(
            f"openvino-{dtype}",
            OpenVino,
            "openvino",
            "openvino",
            dtype,
            modes=("", "async"),
            devices=("cpu",),
        )
    for dtype in ("float32", "bfloat16"):
        yield Arm(
            f"transformers-{dtype}",
            PlainTransformers,
            "transformers",
            "transformers",
            dtype,
            is_fixed=True,
        )


def work(task: dict[str, Any]) -> None:
    """Load one arm and encode texts once: of this the peak memory is measured."""
    setup = Setup(**task["setup"])
    arm = next(arm for arm in all_arms() if arm.name == task["arm"])
    encoder = arm.build(setup)
    # Not imported here: its memory would count for the arms that do without it.
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(setup.n_threads)
    encoder(task["texts"], arm.fixed_setting(MEMORY_BATCH_SIZE))


def cpu_has(*features: str) -> bool:
    """Tell whether the CPU has one of some instruction sets (known on Linux)."""
    listed = (cpu_info("flags") or cpu_info("Features")).split()
    return any(feature in listed for feature in features)
