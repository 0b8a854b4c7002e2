"""How fast an encoder is fine-tuned and how well it classifies then, beside peers.

``python benchmarks/finetuning.py --help`` lists the options; README.md says how to
read the tables.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

# The package of this checkout is what is measured, installed or not.
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from _data import load_tokenizer
from _encoders import Setup
from _finetuning_arms import all_arms
from _finetuning_rounds import Plan, measure, memory, race, warm_up
from _finetuning_tables import (
    accuracy_table,
    header,
    memory_table,
    race_table,
    speed_table,
)
from _labelled import Labelled, read_split
from _learners import Recipe
from _report import write_json
from _script import (
    argument_parser,
    choose_arms,
    describe_run,
    make_setup,
    start_logging,
)
from _threads import set_threads

VERSIONS = (
    "torch",
    "transformers",
    "tokenizers",
    "scikit-learn",
    "accelerate",
    "sentence-transformers",
    "setfit",
)
# Fewer rounds say nothing about speed, fewer seeds nothing about accuracy.
MIN_ROUNDS = 5
MIN_SEEDS = 2
SPEED_TEXTS = 1024
QUICK_TEXTS = 48


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argument_parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="train.tsv and others")
    add("--epochs", type=int, help="default: 3; 1 with --speed-only and --quick")
    add("--batch-size", type=int, default=32, help="default: %(default)s")
    add("--learning-rate", type=float, default=2e-4, help="default: %(default)s")
    add("--seeds", type=int, help="rounds, each with a seed of its own (default: 5)")
    add("--n-train", type=int, help="train on so many texts, drawn once")
    add("--dev-score", type=float, help="also time the way to this dev accuracy")
    add("--race-only", action="store_true", help="with --dev-score: no rounds")
    add("--speed-only", action="store_true", help=f"one epoch, {SPEED_TEXTS} texts")
    options = parser.parse_args(arguments)
    is_short = options.quick or options.speed_only
    options.epochs = options.epochs or (1 if is_short else 3)
    options.seeds = options.seeds or (2 if options.quick else 5)
    if options.n_train is None and is_short:
        options.n_train = QUICK_TEXTS if options.quick else SPEED_TEXTS
    least = MIN_ROUNDS if options.speed_only else MIN_SEEDS
    if options.seeds < least and not options.quick:
        parser.error(f"--seeds must be at least {least}. Got {options.seeds}.")
    if options.dev_score is not None:
        if not 0 < options.dev_score <= 1:
            parser.error(
                "--dev-score must be a share, over 0 and at most 1. Got "
                f"{options.dev_score:g}."
            )
        if options.speed_only:
            parser.error("--dev-score and --speed-only exclude each other.")
    elif options.race_only:
        parser.error("--race-only needs --dev-score, the accuracy to race to.")
    return options


def read_data(options: argparse.Namespace) -> dict[str, Labelled]:
    """Return the sets by name, those that are needed and there."""
    names = ("train",) if options.speed_only else ("train", "dev", "test")
    read = {name: read_split(options.data, name) for name in names}
    data = {name: labelled for name, labelled in read.items() if labelled is not None}
    needed = ["train"] if options.dev_score is None else ["train", "dev"]
    for name in needed:
        if name not in data:
            raise SystemExit(f"--data must hold {name}.tsv. {options.data} does not.")
    data["train"] = data["train"].draw(options.n_train, options.seed)
    if options.quick:
        data = {name: one.draw(QUICK_TEXTS, options.seed) for name, one in data.items()}
    return data


def make_plan(
    options: argparse.Namespace, setup: Setup, data: dict[str, Labelled]
) -> Plan:
    """Resolve the options to how the arms are measured."""
    return Plan(
        recipe=Recipe(
            setup=setup,
            classes=data["train"].classes,
            n_epochs=options.epochs,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
        ),
        train=data["train"],
        judged={name: data[name] for name in ("dev", "test") if name in data},
        n_seeds=options.seeds,
        seed=options.seed,
        settle_s=0.0 if options.quick else 0.2,
    )


def describe(options: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Return the result as it stands before anything is measured."""
    setup = plan.recipe.setup
    tokenizer = load_tokenizer(setup.checkpoint)
    return {
        **describe_run(options, setup, VERSIONS),
        "data": str(options.data),
        "speed_only": options.speed_only,
        "n_seeds": plan.n_seeds,
        "n_epochs": plan.recipe.n_epochs,
        "batch_size": plan.recipe.batch_size,
        "learning_rate": plan.recipe.learning_rate,
        "dev_score": options.dev_score,
        "train": plan.train.describe(tokenizer, setup.max_length),
        "judged": {name: len(judged) for name, judged in plan.judged.items()},
    }


def run(options: argparse.Namespace, setup: Setup) -> dict[str, Any]:
    """Train and measure everything, printing each table as soon as it is known."""
    set_threads(setup.n_threads)
    arms = choose_arms(list(all_arms()), options.arms)
    data = read_data(options)
    plan = make_plan(options, setup, data)
    result = describe(options, plan)
    print(header(result), flush=True)

    arms = warm_up(plan, arms, result)
    if not options.race_only:
        result["rounds"] = measure(plan, arms)
        print(speed_table(result), flush=True)
        if plan.judged:
            print(accuracy_table(result), flush=True)
    if options.dev_score is not None:
        result["race"] = race(plan, arms, data["dev"], options.dev_score)
        print(race_table(result), flush=True)
    if options.memory:
        for arm in arms:
            result["arms"][arm.name].update(memory(plan, arm))
        print(memory_table(result), flush=True)
    return result


def main() -> None:
    """Run the benchmark from the command line."""
    options = parse_arguments()
    start_logging()
    result = run(options, make_setup(options))
    if options.json:
        write_json(result, options.json)


if __name__ == "__main__":
    main()
