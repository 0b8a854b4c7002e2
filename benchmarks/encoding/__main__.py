"""How fast texts become vectors, compared with sentence-transformers and runtimes.

``python -m benchmarks.encoding --help`` lists the options; benchmarks/README.md says
how to read the tables.
"""

import argparse
import importlib.util
import tempfile
import warnings
from pathlib import Path
from typing import Any

from benchmarks.encoding.arms import (
    BATCH_SIZES,
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
from benchmarks.shared.machine import set_threads
from benchmarks.shared.setup import Setup, first_line

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
        settings=setup.describe(options, given, "repeats"),
        columns=COLUMNS,
    )
    names = setup.choose([arm.name for arm in all_arms()], options.arms, "--arms")
    arms = [arm for arm in all_arms() if arm.name in names]
    encoders, refused = load(arms, given, onnx, sets.make("mixed", 8).texts)
    plan = Plan(
        setup=given,
        reference=Reference(given.checkpoint, given.device),
        encoders=encoders,
        batch_sizes=(32,) if options.quick else BATCH_SIZES,
        repeats=options.repeats,
        seed=options.seed,
        n_products=3 if options.quick else 30,
        settle_s=0.0 if options.quick else 0.2,
    )
    for name in options.sets:
        text_set = sets.make(name, options.n_texts)
        result["sets"][name], rows = measure(plan, text_set)
        if options.memory and name != "one":
            add_memory(rows, given, onnx, text_set.texts)
        result["rows"] += rows
        result["rows"] += [{"set": name, **one} for one in refused]
        report.show(result, name, options.json)
    return result


def load(
    arms: list[EncodingArm], given: Setup, onnx: str, texts: list[str]
) -> tuple[dict[EncodingArm, Encoder], list[dict[str, str]]]:
    """Load the arms and call each once; also say which do not run here and why."""
    no_onnx = export_error(arms, given, onnx)
    encoders, refused = {}, []
    for arm in arms:
        reason = arm.reason_not_to_run(given.device)
        if reason is None and arm.needs_onnx:
            reason = no_onnx
        if reason is None:
            setup.log.info("loading %s", arm.name)
            # An arm that cannot run must not end the others: the tables name it.
            try:
                encoder = arm.make(given, onnx)
                encoder(texts, Setting())
                encoders[arm] = encoder
            except Exception as error:
                reason = f"not run: {first_line(error)}"
        if reason is not None:
            refused.append({"arm": arm.name, "not_run": reason})
    return encoders, refused


def export_error(arms: list[EncodingArm], given: Setup, onnx: str) -> str | None:
    """Export the checkpoint if an arm needs it; return why that failed."""
    if not any(arm.needs_onnx for arm in arms):
        return None
    if importlib.util.find_spec("onnx") is None:
        return "missing: pip install onnx"
    try:
        with warnings.catch_warnings():
            # The tracer and the older exporter warn of what they might get wrong;
            # the comparison with the reference shows whether they did.
            warnings.simplefilter("ignore")
            export_onnx(given.checkpoint, onnx)
    except Exception as error:
        return f"not run: ONNX export failed: {first_line(error)}"
    return None


def add_memory(
    rows: list[dict[str, Any]], given: Setup, onnx: str, texts: list[str]
) -> None:
    """Note the peak memory of each arm in a process of its own."""
    for row in rows:
        setup.log.info("memory of %s", row["arm"])
        row |= run_alone(encode_once, row["arm"], given, onnx, texts)


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    setup.start_logging()
    with tempfile.TemporaryDirectory() as folder:
        onnx = str(Path(folder, "model.onnx"))
        run(options, setup.make_setup(options), onnx)


if __name__ == "__main__":
    main()
