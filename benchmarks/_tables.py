"""The tables of the encoding benchmark, made from its result alone."""

from typing import Any

from _arms import BASELINE, ONE_TEXT_BASELINE
from _measure import paired_ratios, percentile, spread
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
    what = (
        f"{result['model']}, {result['max_length']} tokens per text at most, "
        f"{result['repeats']} interleaved rounds, seed {result['seed']}"
    )
    return "\n".join([what, *run_lines(result)]) + "\n"


def loading_table(result: dict[str, Any]) -> str:
    """Tell the seconds before the first vectors, apart from all that follows."""
    headers = ("arm", "loading s", "first call s", "second call s")
    fields = ("load_s", "first_call_s", "second_call_s")
    return arm_table("Before the first vectors", headers, result, fields, 2)


def memory_table(result: dict[str, Any]) -> str:
    """Tell the peak memory of each arm in a process of its own."""
    headers = ("arm", "peak RSS MiB", "peak CUDA MiB")
    return arm_table(
        "Peak memory, set mixed", headers, result, ("rss_mib", "cuda_mib"), 0
    )


def set_table(result: dict[str, Any], name: str) -> str:
    """Tell the results of one set, with a line for every arm that did not run."""
    text_set = result["sets"][name]
    if name == "one":
        headers: tuple[str, ...] = (
            "arm",
            "p50 ms",
            "p90 ms",
            "p50 vs transformers",
            "max 1−cos",
        )
        cells = _latency_cells
    else:
        headers = (
            "arm",
            "batch",
            "texts/s",
            "vs ST default",
            "tokens/s",
            "of ceiling",
            "padding",
            "max 1−cos",
        )
        cells = _throughput_cells
    rows = []
    for arm, about in result["arms"].items():
        if "not_run" in about:
            rows.append([arm, about["not_run"]])
        elif arm in text_set["arms"]:
            rows.append([arm, *cells(result, name, arm)])
    return f"{_set_title(text_set, name)}\n{table(headers, rows)}\n"


def _set_title(text_set: dict[str, Any], name: str) -> str:
    ceiling = ", ".join(
        f"{dtype} {flops / 1e9:,.0f} GFLOP/s"
        for dtype, flops in text_set["ceiling_flops"].items()
    )
    others = text_set["cpus_of_others"]
    lines = [
        f"{name}: {text_set['n_texts']:,} texts, {text_set['n_tokens']:,} tokens "
        f"({text_set['shortest']} to {text_set['longest']}, median "
        f"{text_set['median']:g}), {text_set['origin']}",
        f"matrix products alone: {ceiling}; other processes used "
        f"{number(others, 2)} CPUs, load average "
        f"{number(text_set['load_average'], 2)}",
    ]
    return "\n".join([*lines, *noise_warning(others)])


def _throughput_cells(result: dict[str, Any], name: str, arm: str) -> list[str]:
    text_set = result["sets"][name]
    record = text_set["arms"][arm]
    baseline = text_set["arms"].get(BASELINE)
    n_tokens = text_set["n_tokens"]
    speed = spread([text_set["n_texts"] / s for s in record["seconds"]])
    tokens = spread([n_tokens / s for s in record["seconds"]]).median
    rate = spread([text_set["flops"] / s for s in record["seconds"]]).median
    ceiling = text_set["ceiling_flops"][result["arms"][arm]["dtype"]]
    ratios = baseline and paired_ratios(baseline["seconds"], record["seconds"])
    positions = record["positions"]
    return [
        record["setting"],
        format_spread(speed, 0 if speed.median >= 100 else 1),
        format_ratio(ratios),
        f"{tokens:,.0f}",
        f"{rate / ceiling:.0%}",
        NOT_KNOWN if positions is None else f"{positions / n_tokens:.2f}",
        f"{record['max_cosine_distance']:.1e}",
    ]


def _latency_cells(result: dict[str, Any], name: str, arm: str) -> list[str]:
    records = result["sets"][name]["arms"]
    record = records[arm]
    halves = [percentile(times, 50) for times in record["seconds"]]
    times = [time for times in record["seconds"] for time in times]
    baseline = records.get(ONE_TEXT_BASELINE)
    ratios = baseline and paired_ratios(
        [percentile(times, 50) for times in baseline["seconds"]], halves
    )
    return [
        f"{1e3 * percentile(times, 50):.2f}",
        f"{1e3 * percentile(times, 90):.2f}",
        format_ratio(ratios),
        f"{record['max_cosine_distance']:.1e}",
    ]
