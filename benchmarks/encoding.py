"""How fast texts become vectors, beside sentence-transformers and other runtimes.

``python benchmarks/encoding.py --help`` lists the options; README.md says how to
read the tables.
"""

import argparse
import logging
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

# The package of this checkout is what is measured, installed or not.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from _arms import BATCH_SIZES, Arm, all_arms
from _checkpoint import Reference
from _data import SHARES, TextSet, TextSets, default_texts, load_tokenizer, read_texts
from _encoders import Encoder, Setup
from _memory import peak_memory
from _report import write_json
from _rounds import Plan, export_error, load_arm, measure
from _script import (
    argument_parser,
    choose_arms,
    describe_run,
    make_setup,
    start_logging,
)
from _tables import header, loading_table, memory_table, set_table
from _threads import set_threads

VERSIONS = (
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
    parser = argument_parser(__doc__)
    add = parser.add_argument
    add("--data", nargs="+", type=Path, metavar="DIR", help="read these TSV files")
    add("--sets", nargs="+", choices=list(SHARES), default=list(SHARES))
    add("--n-texts", type=int, help="texts of a set of sentences (default: 768)")
    add("--repeats", type=int, help=f"rounds, at least {MIN_REPEATS} (default: 7)")
    options = parser.parse_args(arguments)
    options.n_texts = options.n_texts or (16 if options.quick else 768)
    options.repeats = options.repeats or (2 if options.quick else 7)
    if options.repeats < MIN_REPEATS and not options.quick:
        parser.error(
            f"--repeats must be at least {MIN_REPEATS}. Got {options.repeats}."
        )
    return options


def run(options: argparse.Namespace, setup: Setup) -> dict[str, Any]:
    """Load and measure everything, printing each table as soon as it is known."""
    set_threads(setup.n_threads)
    arms = choose_arms(list(all_arms()), options.arms)
    texts = read_texts(options.data) if options.data else default_texts()
    tokenizer = load_tokenizer(setup.checkpoint)
    sets = TextSets(texts, tokenizer, setup.max_length, options.seed)
    result = {
        **describe_run(options, setup, VERSIONS),
        "repeats": options.repeats,
        "data": [str(folder) for folder in options.data or []],
        "sets": {},
    }
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
            task = {"arm": arm.name, "setup": asdict(setup), "texts": texts}
            result["arms"][arm.name].update(peak_memory("_arms", task))
        print(memory_table(result), flush=True)
    return result


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
    start_logging()
    with tempfile.TemporaryDirectory() as folder:
        onnx = str(Path(folder, "model.onnx"))
        result = run(options, make_setup(options, onnx))
    if options.json:
        write_json(result, options.json)


if __name__ == "__main__":
    main()
