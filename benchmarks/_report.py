"""Where a benchmark ran, and its results as plain tables and JSON."""

import json
import os
import platform
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from _measure import Spread, spread

# What makes the same code fast on one CPU and slow on another.
CPU_FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")
NOT_KNOWN = "–"
# CPUs used by other processes from which on a table must not be quoted.
MUCH_NOISE = 0.1


def environment(packages: Sequence[str], device: str) -> dict[str, Any]:
    """Describe the machine and the versions that a result depends on."""
    features = cpu_info("flags") or cpu_info("Features")
    return {
        "cpu": cpu_info("model name") or platform.processor() or platform.machine(),
        "cpu_features": [name for name in CPU_FEATURES if name in features.split()],
        "usable_cpus": usable_cpus(),
        "device": device_name(device),
        "python": platform.python_version(),
        "versions": {name: version_of(name) for name in packages},
    }


def cpu_info(field: str, path: Path = Path("/proc/cpuinfo")) -> str:
    """Return the first value of a field of Linux's CPU description, or ''."""
    if not path.exists():
        return ""
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return ""


def usable_cpus() -> int:
    """Return the number of CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float | None:
    """Return the load of the last minute; beyond our own threads, it is noise."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def busy_cpu_seconds(path: Path = Path("/proc/stat")) -> float | None:
    """Return the CPU seconds used on this machine since it started.

    Time that a hypervisor gave to other machines counts too. None where the
    system is not Linux.
    """
    if not path.exists():
        return None
    ticks = [int(value) for value in path.read_text().split("\n", 1)[0].split()[1:9]]
    _, _, _, idle, waiting, *_ = ticks
    return (sum(ticks) - idle - waiting) / os.sysconf("SC_CLK_TCK")


class Noise:
    """How many CPUs all other processes used since this object was made."""

    def __init__(self) -> None:
        self._start = self._now()

    def cpus_of_others(self) -> float | None:
        """Return their mean number of busy CPUs, None where it is not known."""
        busy, own, wall = (
            None if now is None or start is None else now - start
            for now, start in zip(self._now(), self._start, strict=True)
        )
        return None if busy is None else max((busy - own) / wall, 0.0)

    @staticmethod
    def _now() -> tuple[float | None, float, float]:
        return busy_cpu_seconds(), time.process_time(), time.perf_counter()


def device_name(device: str) -> str:
    """Return what a torch device is called by its maker."""
    if not device.startswith("cuda"):
        return device
    import torch

    return f"{device}: {torch.cuda.get_device_name(device)}"


def version_of(package: str) -> str | None:
    """Return the installed version of a package, None where it is missing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def format_spread(values: Spread, digits: int = 0, unit: str = "") -> str:
    """Write a median and its range: ``812 [790–823]``."""
    low, high = (f"{value:,.{digits}f}" for value in (values.low, values.high))
    return f"{values.median:,.{digits}f}{unit} [{low}–{high}]"


def format_ratio(ratios: Sequence[float] | None) -> str:
    """Write how many times faster something was in each round."""
    return format_spread(spread(ratios), 2, "×") if ratios else NOT_KNOWN


def number(value: float | None, digits: int) -> str:
    """Write a number that may be unknown."""
    return NOT_KNOWN if value is None else f"{value:,.{digits}f}"


def run_lines(result: dict[str, Any]) -> list[str]:
    """Say on which machine and with which versions a result came about."""
    where = result["environment"]
    versions = ", ".join(
        f"{name} {version or 'missing'}" for name, version in where["versions"].items()
    )
    lines = [
        f"{where['cpu']} ({', '.join(where['cpu_features'])}), "
        f"{where['usable_cpus']} usable CPUs, {result['n_threads']} threads, "
        f"device {where['device']}",
        f"Python {where['python']}, {versions}",
        f"load average at the start: {number(result['load_average'], 2)}",
    ]
    if result["quick"]:
        lines.append("QUICK RUN: it shows that all arms run; its numbers mean nothing.")
    return lines


def noise_warning(cpus_of_others: float | None) -> list[str]:
    """Return the line that forbids to quote a table, if it must not be quoted."""
    if cpus_of_others is None or cpus_of_others <= MUCH_NOISE:
        return []
    return ["NOISY: others used the CPUs too, which hurts some arms more."]


def arm_table(
    title: str,
    headers: Sequence[str],
    result: dict[str, Any],
    fields: Sequence[str],
    digits: int,
) -> str:
    """Make a table of numbers that belong to the arms themselves."""
    rows = [
        [arm, about["not_run"]]
        if "not_run" in about
        else [arm, *(number(about.get(field), digits) for field in fields)]
        for arm, about in result["arms"].items()
    ]
    return f"{title}\n{table(headers, rows)}\n"


def first_line(error: Exception) -> str:
    """Return what an error says, short enough for a table."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out text in columns: the first one to the left, the others to the right.

    A row shorter than the headers ends in a remark, which may run over them.
    """
    whole = [row for row in rows if len(row) == len(headers)]
    # A remark takes no part in its column's width, what stands before it does.
    widths = [
        max(
            [len(header), *(len(row[column]) for row in whole)]
            + [len(row[column]) for row in rows if column < len(row) - 1]
        )
        for column, header in enumerate(headers)
    ]

    def line(cells: Sequence[str], is_remark: bool) -> str:
        laid = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=False))
        ]
        if is_remark:
            laid[-1] = cells[-1]
        return "  ".join(laid).rstrip()

    lines = [line(headers, False), line(["-" * width for width in widths], False)]
    lines += [line(row, len(row) < len(headers)) for row in rows]
    return "\n".join(lines)


def write_json(result: dict[str, Any], path: Path) -> None:
    """Write a result whole, so that tables can be made from it again."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
