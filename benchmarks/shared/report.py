"""The one form that results have, as JSON and as plain tables.

A result is a dict that JSON can hold:

``question``, ``date``, ``commit``, ``machine``, ``versions``, ``settings``
    What was measured, when, on which code and where; None where it is not known.
``sets``
    For each data set: its size, and the CPUs that other processes used meanwhile.
``columns``
    For each measured column: its heading, with the unit.
``rows``
    One dict per set and arm: ``set``, ``arm`` and the measured columns, each a number,
    a text or a figure of ``measuring``; or ``not_run`` with the reason.
"""

import datetime
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared import machine

Result = dict[str, Any]
NOT_KNOWN = "–"
# From this many CPUs used by other processes on, a result must not be quoted.
MUCH_NOISE = 0.1
ROOT = Path(__file__).resolve().parents[2]


def new_result(
    question: str,
    *,
    device: str,
    packages: Sequence[str],
    settings: dict[str, Any],
    columns: dict[str, str],
) -> Result:
    """Return a result before anything is measured."""
    return {
        "question": question,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "machine": machine.describe(device),
        "versions": machine.versions(["torch", "transformers", *packages]),
        "settings": settings,
        "sets": {},
        "columns": columns,
        "rows": [],
    }


def _commit() -> str | None:
    """Return the commit of this checkout, marked if files differ from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def write_json(result: Result, path: Path) -> None:
    """Write a result as one file of benchmarks/results/."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Result:
    """Read what ``write_json`` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def show(result: Result, name: str, path: Path | None) -> None:
    """Print what is known of one set; write the result so far if a file is given."""
    if len(result["sets"]) < 2:
        print(header(result))
    print(set_text(result, name), flush=True)
    if path is not None:
        write_json(result, path)


def header(result: Result) -> str:
    """Say in a few lines how a result came about."""
    fields = [_fields(result[name]) for name in ("machine", "versions", "settings")]
    lines = [*fields, f"{result['date']}, commit {result['commit']}"]
    if result["settings"]["quick"]:
        lines.append("QUICK RUN: it shows that all arms run; its numbers mean nothing.")
    return "\n".join([*lines, ""])


def set_text(result: Result, name: str) -> str:
    """Lay out the rows of one set."""
    about = result["sets"].get(name, {})
    lines = [f"{name}: {_fields(about)}" if about else name]
    if (about.get("cpus_of_others") or 0) > MUCH_NOISE:
        lines.append("NOISY: others used the CPUs too, which hurts some arms more.")
    rows = [row for row in result["rows"] if row["set"] == name]
    columns = {
        key: heading
        for key, heading in result["columns"].items()
        if any(row.get(key) is not None for row in rows)
    }
    cells = [
        [row["arm"], *(cell(row.get(key)) for key in columns)]
        for row in rows
        if "not_run" not in row
    ]
    lines.append(table(["arm", *columns.values()], cells))
    lines += [f"{row['arm']}: {row['not_run']}" for row in rows if "not_run" in row]
    return "\n".join([*lines, ""])


def cell(value: Any) -> str:
    """Write a figure, a number, a text or nothing, as every table shows it."""
    if value is None:
        return NOT_KNOWN
    if isinstance(value, str | bool):
        return str(value)
    if not isinstance(value, dict):
        return _number(value)
    if "mean" in value:
        digits = _digits(value["mean"], most=3)
        deviation = "" if value["sd"] is None else f" ± {value['sd']:,.{digits}f}"
        return f"{value['mean']:,.{digits}f}{deviation} ({value['n']})"
    digits = _digits(value["median"], most=2)
    middle, low, high = (
        "" if value[key] is None else f"{value[key]:,.{digits}f}"
        for key in ("median", "low", "high")
    )
    return f"{middle} [{low}–{high}]" if low else middle


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out text in columns: the first one to the left, the others to the right."""
    columns = list(zip(headers, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        laid = [one.rjust(width) for one, width in others]
        return "  ".join([first[0].ljust(first[1]), *laid])

    rule = ["-" * width for width in widths]
    return "\n".join(line(row) for row in (headers, rule, *rows))


def _fields(about: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {cell(value) if not isinstance(value, list) else ' '.join(value)}"
        for name, value in about.items()
    )


def _number(value: float) -> str:
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _digits(value: float, most: int) -> int:
    """Return how many decimals show a number to about three digits."""
    return min(most, 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3)
