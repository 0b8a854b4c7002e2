"""Fair timing: interleaved arms, medians with their range, searched settings.

Nothing here knows what is measured, so that every benchmark can use it.
"""

import gc
import random
import time
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median, stdev
from typing import Any, TypeVar

R = TypeVar("R")
S = TypeVar("S")

# As JSON: {"median", "low", "high", "n"} or {"mean", "sd", "n"}.
Figure = dict[str, Any]


def spread(values: Sequence[float]) -> Figure:
    """Summarize the rounds of a timing by their median and range."""
    return {
        "median": median(values),
        "low": min(values),
        "high": max(values),
        "n": len(values),
    }


def mean_and_sd(values: Sequence[float]) -> Figure:
    """Summarize scores over seeds; one value alone has no standard deviation."""
    deviation = stdev(values) if len(values) > 1 else None
    return {"mean": fmean(values), "sd": deviation, "n": len(values)}


def summarize(outcomes: Sequence[dict[str, float]]) -> dict[str, Figure]:
    """Summarize each of several scores over seeds."""
    return {name: mean_and_sd([one[name] for one in outcomes]) for name in outcomes[0]}


def paired_ratios(reference: Sequence[float], others: Sequence[float]) -> list[float]:
    """Return, round by round, how many times faster the others were.

    Both are seconds. What slows a machine for a while slows both halves of a pair,
    so these ratios vary less than the ratio of two medians.
    """
    return [slow / fast for slow, fast in zip(reference, others, strict=True)]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that ``percent`` % of the values do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]


def synchronizer(device: str) -> Callable[[], None]:
    """Return a function that waits until a device has finished its work."""
    if not device.startswith(("cuda", "mps")):
        return lambda: None
    import torch

    return getattr(torch, device.partition(":")[0]).synchronize


def stopwatch(call: Callable[[], object], synchronize: Callable[[], None]) -> float:
    """Return the seconds one call takes, until the device has finished its work."""
    synchronize()
    start = time.perf_counter()
    call()
    synchronize()
    return time.perf_counter() - start


def interleave(
    arms: dict[str, Callable[[], R]], *, repeats: int, seed: int, settle_s: float
) -> dict[str, list[R]]:
    """Call every arm once a round, in an order shuffled again in each round.

    Parameters
    ----------
    arms : dict of str to callable
        Each returns its own measurement.
    repeats : int
        Number of rounds.
    seed : int
        Of the shuffling.
    settle_s : float
        Pause before each call. Thread pools spin for a moment after their last
        task, which would slow down the next arm.

    Returns
    -------
    dict of str to list
        The measurements of each arm, one per round: the k-th of one arm and the
        k-th of another belong to the same round.
    """
    shuffled = random.Random(seed)
    measured: dict[str, list[R]] = {name: [] for name in arms}
    # Only what the arms leave behind is collected: all objects of all libraries
    # would take tenths of a second each time.
    gc.freeze()
    try:
        for _ in range(repeats):
            names = list(arms)
            shuffled.shuffle(names)
            for name in names:
                gc.collect()
                time.sleep(settle_s)
                measured[name].append(arms[name]())
    finally:
        gc.unfreeze()
    return measured


def fastest(settings: Iterable[S], seconds: Callable[[S], float]) -> tuple[S, float]:
    """Return the setting with the lowest time, and that time.

    ``settings`` are in their natural order. The search ends after two in a row that
    were not the best so far: time as a function of the batch size has one minimum.
    """
    best: tuple[S, float] | None = None
    n_worse = 0
    for setting in settings:
        time_s = seconds(setting)
        if best is None or time_s < best[1]:
            best, n_worse = (setting, time_s), 0
        else:
            n_worse += 1
        if n_worse == 2:
            break
    if best is None:
        raise ValueError("settings must hold at least one setting. Got none.")
    return best
