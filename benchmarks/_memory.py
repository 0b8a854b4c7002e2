"""The peak memory of one arm, measured in a process that does nothing else."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _encoders import Setup

# Of every arm that has no batch size of its own: memory is compared at the same one.
BATCH_SIZE = 32


def peak_memory(arm: str, setup: Setup, texts: list[str]) -> dict[str, float]:
    """Return the MiB that loading one arm and encoding the texts once needs.

    Returns
    -------
    dict of str to float
        ``rss_mib`` is the process's peak, interpreter and libraries included;
        ``cuda_mib``, on a GPU, what torch had allocated there at most.
    """
    request = {
        "arm": arm,
        "setup": asdict(setup),
        "texts": texts,
    }
    child = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"the process that measures {arm} failed: {last}")
    return json.loads(child.stdout.splitlines()[-1])


def _measure(request: dict[str, Any]) -> dict[str, float]:
    """Do in this process what ``peak_memory`` asks of its child."""
    from _arms import all_arms

    setup = Setup(**request["setup"])
    arm = next(arm for arm in all_arms() if arm.name == request["arm"])
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(setup.n_threads)
    arm.build(setup)(request["texts"], arm.fixed_setting(BATCH_SIZE))
    peak = {"rss_mib": _peak_rss_mib()}
    torch = sys.modules.get("torch")
    if torch is not None and setup.device.startswith("cuda"):
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
    print(json.dumps(_measure(json.load(sys.stdin))))
