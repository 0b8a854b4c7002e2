"""Fair timing: interleaved arms, medians with their spread, searched settings.

Nothing here knows what is measured, so that every benchmark can use it.
"""

import gc
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True)
class Spread:
    """The median of some values, the lowest and the highest."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Summarise values by their median and range."""
    return Spread(median(values), min(values), max(values))


def paired_ratios(reference: Sequence[float], others: Sequence[float]) -> list[float]:
    """Return, round by round, how many times faster the others were.

    Both are seconds. What slows a machine for a while slows both halves of a pair,
    so these ratios are steadier than the ratio of two medians.
    """
    return [slow / fast for slow, fast in zip(reference, others, strict=True)]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that ``percent`` % of the values do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]


def stopwatch(call: Callable[[], object], synchronize: Callable[[], None]) -> float:
    """Return the seconds one call takes, until the device has finished its work."""
    synchronize()
    start = time.perf_counter()
    call()
    synchronize()
    return time.perf_counter() - start


class Clock:
    """Counts the seconds since it was made, but for those in which it was paused.

    Parameters
    ----------
    synchronize : callable
        Waits until the device has finished its work.
    """

    def __init__(self, synchronize: Callable[[], None]) -> None:
        self._synchronize = synchronize
        self._synchronize()
        self._start = time.perf_counter()
        self.paused_s = 0.0

    @property
    def seconds(self) -> float:
        """What has been counted so far."""
        self._synchronize()
        return time.perf_counter() - self._start - self.paused_s

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Count nothing while the block runs."""
        before = self.seconds
        try:
            yield
        finally:
            self.paused_s += self.seconds - before


def interleave(
    arms: dict[str, Callable[[], R]], *, repeats: int, seed: int, settle_s: float
) -> dict[str, list[R]]:
    """Call every arm once a round, in an order shuffled anew each round.

    Parameters
    ----------
    arms : dict of str to callable
        What is called returns its own measurement.
    repeats : int
        Number of rounds.
    seed : int
        Of the shuffling.
    settle_s : float
        Pause before each call. Thread pools go on spinning for a moment after
        their last task, which would be paid for by the next arm.

    Returns
    -------
    dict of str to list
        The measurements of each arm, one per round: the k-th of one arm and the
        k-th of another belong to the same round.
    """
    shuffled = random.Random(seed)
    measured: dict[str, list[R]] = {name: [] for name in arms}
    for _ in range(repeats):
        names = list(arms)
        shuffled.shuffle(names)
        for name in names:
            gc.collect()
            time.sleep(settle_s)
            measured[name].append(arms[name]())
    return measured


def fastest(
    settings: Iterable[S], seconds: Callable[[S], float], *, patience: int = 2
) -> tuple[S, float]:
    """Return the setting with the lowest time, and that time.

    Parameters
    ----------
    settings : iterable
        In their natural order, at least one.
    seconds : callable
        Gives the time of one setting.
    patience : int
        How many settings in a row may fail to be the best before the rest is
        not tried: the time of ever larger batches has one valley.
    """
    best: tuple[S, float] | None = None
    n_worse = 0
    for setting in settings:
        time_s = seconds(setting)
        if best is None or time_s < best[1]:
            best, n_worse = (setting, time_s), 0
        else:
            n_worse += 1
        if n_worse == patience:
            break
    if best is None:
        raise ValueError("settings must hold at least one setting. Got none.")
    return best
