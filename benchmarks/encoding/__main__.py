"""How fast texts become vectors, compared with sentence-transformers and runtimes.

``python -m benchmarks.encoding --help`` lists the options; benchmarks/README.md says
how to read the tables.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.encoding.arms import (
    Encoder,
    EncodingArm,
    Setting,
    all_arms,
    encode_once,
)
from benchmarks.encoding.reference import Reference, export_onnx
from benchmarks.encoding.rounds import Plan, measure
from benchmarks.encoding.texts import SHARES, TextSets, default_texts, read_texts
from benchmarks.shared import report, setup
from benchmarks.shared.jobs import run_alone
from benchmarks.shared.machine import busy_cores, set_threads
from benchmarks.shared.setup import Setup

PACKAGES = ("tokenizers", "sentence-transformers", "onnxruntime", "openvino")
COLUMNS = {
    "batch": "batch",
    "texts_per_s": "texts/s",
    "p50_ms": "median ms",
    "p90_ms": "90 % ms",
    "speed_ratio": "times the baseline",
    "share_of_ceiling": "of ceiling",
    "max_cosine_distance": "max 1 − cos",
    "peak_rss_mib": "peak MiB",
}
MIN_REPEATS = 5


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = setup.argument_parser(__doc__)
    add = parser.add_argument
    add("--arms", nargs="+", default=["*"], help="names or patterns: 'sklearn*'")
    add("--data", nargs="+", type=Path, metavar="DIR", help="read these TSV files")
    add("--sets", nargs="+", choices=list(SHARES), default=list(SHARES))
    add("--n-texts", type=int, help="texts of a set of sentences (default: 768)")
    add("--repeats", type=int, help=f"rounds, at least {MIN_REPEATS} (default: 7)")
    add("--busy", type=int, default=0, help="cores that other processes use meanwhile")
    add("--memory", action="store_true", help="also measure each arm's peak memory")
    options = parser.parse_args(arguments)
    options.n_texts = options.n_texts or (16 if options.quick else 768)
    options.repeats = options.repeats or (2 if options.quick else 7)
    if options.repeats < MIN_REPEATS and not options.quick:
        parser.error(
            f"--repeats must be at least {MIN_REPEATS}. Got {options.repeats}."
        )
    return options


def run(options: argparse.Namespace, given: Setup, onnx: str) -> report.Result:
    """Load and measure everything."""
    set_threads(given.n_threads)
    texts = read_texts(options.data) if options.data else default_texts()
    tokenizer = setup.load_tokenizer(given.checkpoint)
    sets = TextSets(texts, tokenizer, given.max_length, options.seed)
    result = report.new_result(
        "encoding",
        device=given.device,
        packages=PACKAGES,
        settings=setup.describe(options, given, "repeats", "busy"),
        columns=COLUMNS,
    )
    names = setup.choose([arm.name for arm in all_arms()], options.arms, "--arms")
    arms = [arm for arm in all_arms() if arm.name in names]
    texts = sets.make("mixed", 8).texts

    def load(arm: EncodingArm) -> Encoder:
        if arm.needs_onnx and not Path(onnx).exists():
            export_onnx(given.checkpoint, onnx)
        encoder = arm.make(given, onnx, arm.dtype)
        encoder(texts, Setting())
        return encoder

    encoders, refused = setup.try_arms(arms, load, given.device)
    plan = Plan(
        setup=given,
        reference=Reference(given.checkpoint, given.device),
        encoders=encoders,
        repeats=options.repeats,
        seed=options.seed,
        is_quick=options.quick,
    )
    for name in options.sets:
        text_set = sets.make(name, options.n_texts)
        with busy_cores(options.busy):
            result["sets"][name], rows = measure(plan, text_set)
        for row in rows if options.memory and name != "one" else ():
            setup.log.info("memory of %s", row["arm"])
            row |= run_alone(encode_once, row["arm"], given, onnx, text_set.texts)
        result["rows"] += rows
        result["rows"] += [{"set": name, **one} for one in refused]
        report.show(result, name, options.json)
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    with tempfile.TemporaryDirectory() as folder:
        onnx = str(Path(folder, "model.onnx"))
        run(options, setup.make_setup(options), onnx)


if __name__ == "__main__":
    main()
