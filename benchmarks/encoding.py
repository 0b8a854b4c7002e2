"""How fast texts become vectors, beside sentence-transformers and other runtimes.

``python benchmarks/encoding.py --help`` lists the options; README.md says how to
read the tables.
"""

import argparse
import logging
import os
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

# The package of this checkout is what is measured, installed or not.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import torch
import transformers
from _arms import BATCH_SIZES, Arm, all_arms
from _checkpoint import DEFAULT, Reference, find_checkpoint, own_max_length
from _data import SHARES, TextSet, TextSets, default_texts, load_tokenizer, read_texts
from _encoders import Encoder, Setup
from _memory import peak_memory
from _report import environment, load_average, usable_cpus, write_json
from _rounds import Plan, export_error, load_arm, measure
from _tables import header, loading_table, memory_table, set_table

import sklearn_bert

VERSIONS = (
    "sklearn-bert",
    "torch",
    "transformers",
    "tokenizers",
    "sentence-transformers",
    "onnxruntime",
    "openvino",
)
MIN_REPEATS = 5

log = logging.getLogger("benchmark")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--model", default=DEFAULT, help="Hub id or folder (default: %(default)s)")
    add("--data", nargs="+", type=Path, metavar="DIR", help="read these TSV files")
    add("--sets", nargs="+", choices=list(SHARES), default=list(SHARES))
    add("--arms", nargs="+", default=["*"], help="names or patterns: 'openvino*'")
    add("--n-texts", type=int, help="texts of a set of sentences (default: 768)")
    add("--repeats", type=int, help=f"rounds, at least {MIN_REPEATS} (default: 7)")
    add("--max-length", type=int, help="tokens read (default: the checkpoint's limit)")
    add("--threads", type=int, help="CPU threads per arm (default: all usable CPUs)")
    add("--device", help="torch device (default: cuda if there is one, else cpu)")
    add("--memory", action="store_true", help="also measure each arm's peak memory")
    add("--seed", type=int, default=0)
    add("--json", type=Path, metavar="FILE", help="write the full result")
    add("--quick", action="store_true", help="tiny: shows that it runs, nothing else")
    options = parser.parse_args(arguments)
    options.n_texts = options.n_texts or (16 if options.quick else 768)
    options.repeats = options.repeats or (2 if options.quick else 7)
    if options.repeats < MIN_REPEATS and not options.quick:
        parser.error(
            f"--repeats must be at least {MIN_REPEATS}. Got {options.repeats}."
        )
    return options


def choose_arms(patterns: list[str]) -> list[Arm]:
    """Return the arms that a pattern names."""
    arms = list(all_arms())
    chosen = [arm for arm in arms if any(fnmatch(arm.name, p) for p in patterns)]
    if not chosen:
        names = ", ".join(arm.name for arm in arms)
        raise SystemExit(f"--arms must name some of {names}. Got {patterns}.")
    return chosen


def set_threads(n_threads: int) -> None:
    """Give every library the same threads; two more are told by their own options."""
    torch.set_num_threads(n_threads)
    # Read when the pool of the tokenizers starts, at their first use.
    os.environ["RAYON_NUM_THREADS"] = str(n_threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"


def make_setup(options: argparse.Namespace, folder: str) -> Setup:
    """Resolve the options to what all arms are given alike."""
    has_gpu = torch.cuda.is_available()
    checkpoint = find_checkpoint(options.model)
    return Setup(
        checkpoint=checkpoint,
        onnx=str(Path(folder, "model.onnx")),
        max_length=options.max_length or own_max_length(checkpoint),
        device=options.device or ("cuda" if has_gpu else "cpu"),
        n_threads=options.threads or usable_cpus(),
    )


def run(options: argparse.Namespace, setup: Setup) -> dict[str, Any]:
    """Load and measure everything, printing each table as soon as it is known."""
    set_threads(setup.n_threads)
    arms = choose_arms(options.arms)
    texts = read_texts(options.data) if options.data else default_texts()
    tokenizer = load_tokenizer(setup.checkpoint)
    sets = TextSets(texts, tokenizer, setup.max_length, options.seed)
    result = describe_run(options, setup)
    print(header(result), flush=True)

    plan = make_plan(options, setup)
    plan.encoders.update(load_arms(arms, setup, sets.make("mixed", 8), result))
    print(loading_table(result), flush=True)

    for name in options.sets:
        result["sets"][name] = measure(plan, sets.make(name, options.n_texts))
        print(set_table(result, name), flush=True)

    if options.memory:
        texts = sets.make("mixed", options.n_texts).texts
        for arm in plan.encoders:
            log.info("memory of %s", arm.name)
            result["arms"][arm.name].update(peak_memory(arm.name, setup, texts))
        print(memory_table(result), flush=True)
    return result


def describe_run(options: argparse.Namespace, setup: Setup) -> dict[str, Any]:
    """Return the result as it stands before anything is measured."""
    where = environment(VERSIONS, setup.device)
    where["versions"]["sklearn-bert"] = f"{sklearn_bert.__version__} (checkout)"
    return {
        "quick": options.quick,
        "model": options.model,
        "max_length": setup.max_length,
        "n_threads": setup.n_threads,
        "repeats": options.repeats,
        "seed": options.seed,
        "data": [str(folder) for folder in options.data or []],
        "environment": where,
        "load_average": load_average(),
        "arms": {},
        "sets": {},
    }


def make_plan(options: argparse.Namespace, setup: Setup) -> Plan:
    """Resolve the options to how each set is measured; no arm is loaded yet."""
    return Plan(
        encoders={},
        reference=Reference(setup.checkpoint, setup.device),
        device=setup.device,
        tokenizer=load_tokenizer(setup.checkpoint),
        max_length=setup.max_length,
        repeats=options.repeats,
        seed=options.seed,
        batch_sizes=(32,) if options.quick else BATCH_SIZES,
        n_products=3 if options.quick else 30,
        settle_s=0.0 if options.quick else 0.2,
    )


def load_arms(
    arms: list[Arm], setup: Setup, first: TextSet, result: dict[str, Any]
) -> dict[Arm, Encoder]:
    """Load the arms that run here; note in the result how long each one took."""
    no_onnx = export_error(arms, setup)
    encoders = {}
    for arm in arms:
        encoder, record = load_arm(arm, setup, first.texts, no_onnx)
        result["arms"][arm.name] = {"dtype": arm.dtype, **record}
        if encoder is not None:
            encoders[arm] = encoder
    return encoders


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    log.setLevel(logging.INFO)
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        result = run(options, make_setup(options, folder))
    if options.json:
        write_json(result, options.json)


if __name__ == "__main__":
    main()
