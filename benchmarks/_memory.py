"""The peak memory of one arm, measured in a process that does nothing else."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def peak_memory(module: str, task: dict[str, Any]) -> dict[str, Any]:
    """Return the MiB that a process needs which does one task, and what it returns.

    Parameters
    ----------
    module : str
        A file beside this one, whose function ``work`` is called with the task. It
        returns None, or a dict that JSON can hold.
    task : dict
        As JSON can hold it; its ``arm`` is named if the process fails.

    Returns
    -------
    dict
        What ``work`` returned. Besides, ``rss_mib`` is the process's peak, interpreter
        and libraries included; ``cuda_mib``, on a GPU, what torch had allocated there
        at most.
    """
    child = subprocess.run(
        [sys.executable, __file__, module],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"the process that measures {task['arm']} failed: {last}")
    return json.loads(child.stdout.splitlines()[-1])


def _measure(module: str, task: dict[str, Any]) -> dict[str, Any]:
    """Do in this process what ``peak_memory`` asks of its child."""
    outcome = importlib.import_module(module).work(task)
    peak = {**(outcome or {}), "rss_mib": _peak_rss_mib()}
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        peak["cuda_mib"] = torch.cuda.max_memory_allocated() / 2**20
    return peak


def _peak_rss_mib() -> float:
    """Return this process's peak resident memory."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss: on Linux a new process starts with its parent's peak.
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 2**10
    import resource

    # Bytes on macOS, KiB elsewhere.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    # The checkout's own package, as in the parent.
    sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
    print(json.dumps(_measure(sys.argv[1], json.load(sys.stdin))))
