"""The tables of the fine-tuning benchmark, made from its result alone."""

from statistics import fmean, stdev
from typing import Any

from _finetuning_arms import BASELINE, TUNED
from _measure import paired_ratios, spread
from _report import (
    NOT_KNOWN,
    arm_table,
    format_ratio,
    format_spread,
    noise_warning,
    number,
    run_lines,
    table,
)


def header(result: dict[str, Any]) -> str:
    """Say where and how the result came about."""
    data = result["train"]
    lines = [
        f"{result['model']}, {result['max_length']} tokens per text at most, "
        f"{result['n_seeds']} interleaved rounds, each with a seed of its own",
        f"{result['n_epochs']} epochs, batches of {result['batch_size']}, "
        f"learning rate {result['learning_rate']:g}",
        f"training on {data['n_texts']:,} texts, {data['n_tokens']:,} tokens "
        f"({data['shortest']} to {data['longest']}, median {data['median']:g}), "
        f"{data['n_classes']} classes",
    ]
    return "\n".join([*lines, *run_lines(result)]) + "\n"


def speed_table(result: dict[str, Any]) -> str:
    """Tell how fast each arm trained."""
    best = best_tuned(result)
    rounds = result["rounds"]
    lines = [
        f"Training, tokenisation included; Trainer's best is {best or NOT_KNOWN}",
        f"other processes used {number(rounds['cpus_of_others'], 2)} CPUs, "
        f"load average {number(rounds['load_average'], 2)}",
        *noise_warning(rounds["cpus_of_others"]),
    ]
    headers = (
        "arm",
        "s",
        "tokens/s",
        "vs default",
        "vs Trainer's best",
        "loop tokens/s",
        "loop vs best's",
    )
    rows = _rows(result, rounds, lambda arm: _speed_cells(result, arm, best))
    return "\n".join([*lines, table(headers, rows), ""])


def best_tuned(result: dict[str, Any]) -> str | None:
    """Return the name of the tuned Trainer with the lowest median time."""
    times = {
        arm: spread(_column(result, arm, "seconds")).median
        for arm in TUNED
        if arm in result["rounds"]["arms"]
    }
    return min(times, key=lambda arm: times[arm]) if times else None


def accuracy_table(result: dict[str, Any]) -> str:
    """Tell the accuracy of each arm over the seeds."""
    sets = list(result["judged"])
    sizes = ", ".join(f"{name} {n:,} texts" for name, n in result["judged"].items())

    def cells(arm: str) -> list[str]:
        return [
            *(mean_and_sd(_column(result, arm, name)) for name in sets),
            f"{spread(_column(result, arm, 'seconds')).median:,.1f}",
        ]

    headers = ("arm", *(f"{name} %" for name in sets), "median s")
    rows = _rows(result, result["rounds"], cells)
    title = f"Accuracy, mean ± standard deviation over the seeds ({sizes})"
    return f"{title}\n{table(headers, rows)}\n"


def mean_and_sd(shares: list[float]) -> str:
    """Write the mean of some shares and their standard deviation, in per cent."""
    deviation = f"{100 * stdev(shares):.2f}" if len(shares) > 1 else NOT_KNOWN
    return f"{100 * fmean(shares):.2f} ± {deviation}"


def race_table(result: dict[str, Any]) -> str:
    """Tell how long each arm trained until it was good enough on the dev set."""
    rounds = result["race"]

    def cells(arm: str) -> list[str]:
        records = rounds["arms"][arm]
        reached = [one for one in records if one["seconds"] is not None]
        best = spread([max(one["scores"]) for one in records])
        seconds = epochs = NOT_KNOWN
        if reached:
            seconds = format_spread(spread([one["seconds"] for one in reached]), 1)
            epochs = f"{spread([len(one['scores']) for one in reached]).median:g}"
        is_head = result["arms"][arm]["is_head"]
        return [
            seconds,
            f"{len(reached)} of {len(records)}",
            NOT_KNOWN if is_head else epochs,
            f"{100 * best.median:.2f}",
        ]

    lines = [
        f"Time to a dev accuracy of {100 * result['dev_score']:.4g} %",
        f"other processes used {number(rounds['cpus_of_others'], 2)} CPUs",
        *noise_warning(rounds["cpus_of_others"]),
    ]
    headers = ("arm", "s", "reached", "epochs", "highest dev %")
    return "\n".join([*lines, table(headers, _rows(result, rounds, cells)), ""])


def memory_table(result: dict[str, Any]) -> str:
    """Tell the peak memory of each arm in a process of its own."""
    headers = ("arm", "peak RSS MiB", "peak CUDA MiB")
    return arm_table(
        "Peak memory of training", headers, result, ("rss_mib", "cuda_mib"), 0
    )


def _rows(result: dict[str, Any], rounds: dict[str, Any], cells: Any) -> list[list]:
    """Return a row for each arm that ran, and the reason for each that did not."""
    return [
        [arm, about["not_run"]] if "not_run" in about else [arm, *cells(arm)]
        for arm, about in result["arms"].items()
        if "not_run" in about or arm in rounds["arms"]
    ]


def _speed_cells(result: dict[str, Any], arm: str, best: str | None) -> list[str]:
    n_epochs = 1 if result["arms"][arm]["is_head"] else result["n_epochs"]
    n_tokens = n_epochs * result["train"]["n_tokens"]
    seconds, loop = (_column(result, arm, name) for name in ("seconds", "loop_seconds"))
    has_loop = None not in loop
    tokens = spread([n_tokens / s for s in loop]).median if has_loop else None
    return [
        format_spread(spread(seconds), 2),
        format_spread(spread([n_tokens / s for s in seconds])),
        _ratio(result, BASELINE, arm, "seconds"),
        _ratio(result, best, arm, "seconds"),
        number(tokens, 0),
        _ratio(result, best, arm, "loop_seconds") if has_loop else NOT_KNOWN,
    ]


def _ratio(result: dict[str, Any], reference: str | None, arm: str, name: str) -> str:
    if reference not in result["rounds"]["arms"]:
        return NOT_KNOWN
    pair = (_column(result, one, name) for one in (reference, arm))
    return format_ratio(paired_ratios(*pair))


def _column(result: dict[str, Any], arm: str | None, name: str) -> list[Any]:
    """Return what was noted of an arm under one name, round by round."""
    return [record[name] for record in result["rounds"]["arms"][arm]]
