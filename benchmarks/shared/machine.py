"""The machine of a measurement: its name, its threads, its memory and its noise."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

# What makes the same code fast on one CPU and slow on another.
CPU_FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")


def describe(device: str) -> dict[str, Any]:
    """Return the description of this machine that every result holds."""
    return {
        "cpu": _cpu_info("model name") or platform.processor() or platform.machine(),
        "cpu_features": [name for name in CPU_FEATURES if cpu_has(name)],
        "usable_cpus": usable_cpus(),
        "device": _device_name(device),
    }


def versions(packages: list[str]) -> dict[str, str | None]:
    """Return the installed versions, None for a package that is missing."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def cpu_has(*features: str) -> bool:
    """Tell whether the CPU has one of some instruction sets (known on Linux)."""
    listed = (_cpu_info("flags") or _cpu_info("Features")).split()
    return any(feature in listed for feature in features)


def usable_cpus() -> int:
    """Return the number of CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(n_threads: int) -> None:
    """Give every library as many threads; two others have options of their own."""
    import threadpoolctl
    import torch

    torch.set_num_threads(n_threads)
    # The BLAS of NumPy and SciPy, in which linear models are fitted.
    threadpoolctl.threadpool_limits(n_threads)
    # Read when the pool of the tokenizers starts, at their first use.
    os.environ["RAYON_NUM_THREADS"] = str(n_threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"


def peak_rss_mib() -> float | None:
    """Return this process's peak resident memory, None where it is not known."""
    # Not ru_maxrss: on Linux a new process starts with its parent's peak.
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) / 2**10


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


@contextmanager
def busy_cores(n_cores: int) -> Iterator[None]:
    """Use as many cores with other processes, as on a machine that has more to do."""
    command = [sys.executable, "-S", "-c", "while True: pass"]
    loops = [subprocess.Popen(command) for _ in range(n_cores)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


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
        # Worker processes count once they have ended.
        used = os.times()
        own = used.user + used.system + used.children_user + used.children_system
        return busy_cpu_seconds(), own, time.perf_counter()


def _cpu_info(field: str) -> str:
    """Return the first value of a field of Linux's CPU description, or ''."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return ""


def _device_name(device: str) -> str:
    """Return what a torch device is called by its maker."""
    if not device.startswith("cuda"):
        return device
    import torch

    return f"{device}: {torch.cuda.get_device_name(device)}"
