"""What every script of this folder does before it measures and after."""

import argparse
import logging
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar

import torch
import transformers
from _arms import Candidate
from _checkpoint import DEFAULT, find_checkpoint, own_max_length
from _encoders import Setup
from _report import environment, load_average, usable_cpus

import sklearn_bert

A = TypeVar("A", bound=Candidate)


def argument_parser(
    doc: str | None, *, with_arms: bool = True
) -> argparse.ArgumentParser:
    """Return a parser with the options that all scripts have, or those with arms."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    add = parser.add_argument
    add("--model", default=DEFAULT, help="Hub id or folder (default: %(default)s)")
    add("--max-length", type=int, help="tokens read (default: the checkpoint's limit)")
    add("--threads", type=int, help="CPU threads per arm (default: all usable CPUs)")
    add("--device", help="torch device (default: cuda if there is one, else cpu)")
    add("--seed", type=int, default=0, help="of what is drawn (default: %(default)s)")
    add("--json", type=Path, metavar="FILE", help="write the full result")
    add("--quick", action="store_true", help="tiny: shows that it runs, nothing else")
    if with_arms:
        add("--arms", nargs="+", default=["*"], help="names or patterns: 'sklearn*'")
        add("--memory", action="store_true", help="also measure each arm's peak memory")
    return parser


def choose_arms(arms: Sequence[A], patterns: list[str]) -> list[A]:
    """Return the arms that a pattern names."""
    chosen = [arm for arm in arms if any(fnmatch(arm.name, p) for p in patterns)]
    if not chosen:
        names = ", ".join(arm.name for arm in arms)
        raise SystemExit(f"--arms must name some of {names}. Got {patterns}.")
    return chosen


def make_setup(options: argparse.Namespace, onnx: str = "") -> Setup:
    """Resolve the options to what all arms are given alike."""
    has_gpu = torch.cuda.is_available()
    checkpoint = find_checkpoint(options.model)
    return Setup(
        checkpoint=checkpoint,
        onnx=onnx,
        max_length=options.max_length or own_max_length(checkpoint),
        device=options.device or ("cuda" if has_gpu else "cpu"),
        n_threads=options.threads or usable_cpus(),
    )


def describe_run(
    options: argparse.Namespace, setup: Setup, packages: Sequence[str]
) -> dict[str, Any]:
    """Return a result as it stands before anything is measured."""
    where = environment(["sklearn-bert", *packages], setup.device)
    where["versions"]["sklearn-bert"] = f"{sklearn_bert.__version__} (checkout)"
    return {
        "quick": options.quick,
        "model": options.model,
        "max_length": setup.max_length,
        "n_threads": setup.n_threads,
        "seed": options.seed,
        "environment": where,
        "load_average": load_average(),
        "arms": {},
    }


def start_logging() -> None:
    """Show our own progress, and none of the libraries'."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("benchmark").setLevel(logging.INFO)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
