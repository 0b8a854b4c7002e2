"""Measuring all arms on one set of texts, in turns."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.encoding.arms import (
    BASELINE,
    BATCH_SIZES,
    Encoder,
    EncodingArm,
    Setting,
)
from benchmarks.encoding.reference import Reference, cosine_distances, gemm_ceiling
from benchmarks.encoding.texts import TextSet
from benchmarks.shared.data import describe_lengths
from benchmarks.shared.machine import Noise
from benchmarks.shared.measuring import (
    fastest,
    interleave,
    paired_ratios,
    percentile,
    spread,
    stopwatch,
    synchronizer,
)
from benchmarks.shared.setup import Setup, load_tokenizer, log

# float64 is slow: the reference reads no more than this of a set.
REFERENCE_TEXTS = 256
REFERENCE_TOKENS = 16384
# Single texts encoded before the first one that counts.
WARM_UP_TEXTS = 3


@dataclass(frozen=True)
class Plan:
    """How every set is measured.

    Attributes
    ----------
    setup : Setup
    reference : Reference
    encoders : dict of EncodingArm to Encoder
        The arms that run here.
    repeats, seed : int
    is_quick : bool
    """

    setup: Setup
    reference: Reference
    encoders: dict[EncodingArm, Encoder]
    repeats: int
    seed: int
    is_quick: bool


def measure(
    plan: Plan, text_set: TextSet
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the description of one set and a row for every arm."""
    # From here: a busy machine makes the search of settings wrong, too.
    noise = Noise()
    sample = reference_sample(plan, text_set)
    rows: dict[EncodingArm, dict[str, Any]] = {}
    calls: dict[str, Callable[[], list[float]]] = {}
    for arm, encoder in plan.encoders.items():
        log.info("%s: preparing %s", text_set.name, arm.name)
        setting = search(plan, arm, encoder, text_set)
        rows[arm] = {
            "set": text_set.name,
            "arm": arm.name,
            "batch": str(setting),
            "max_cosine_distance": distance(encoder, setting, text_set, sample),
        }
        calls[arm.name] = partial(time_once, plan, encoder, setting, text_set)
    log.info("%s: %d rounds", text_set.name, plan.repeats)
    before = ceilings(plan)
    settle_s = 0.0 if plan.is_quick else 0.2
    rounds = interleave(calls, repeats=plan.repeats, seed=plan.seed, settle_s=settle_s)
    others, after = noise.cpus_of_others(), ceilings(plan)
    highest = {dtype: max(before[dtype], after[dtype]) for dtype in after}
    for arm, row in rows.items():
        least_s = plan.reference.flops(text_set.lengths) / highest[arm.dtype]
        row |= figures(text_set, rounds, arm.name, least_s)
    about = {
        "origin": text_set.origin,
        **describe_lengths(text_set.lengths),
        **{f"ceiling_gflops_{dtype}": flops / 1e9 for dtype, flops in highest.items()},
        "cpus_of_others": others,
    }
    return about, list(rows.values())


def distance(
    encoder: Encoder, setting: Setting, text_set: TextSet, sample: np.ndarray
) -> float:
    """Return the largest 1 − cosine to the right vectors of the first texts.

    The texts are encoded as they are timed, so that this also warms up.
    """
    texts, n = text_set.texts, len(sample)
    if text_set.name == "one":
        vectors = np.concatenate([encoder([text], setting) for text in texts[:n]])
    else:
        vectors = encoder(texts, setting)[:n]
    return float(cosine_distances(vectors, sample).max())


def time_once(
    plan: Plan, encoder: Encoder, setting: Setting, text_set: TextSet
) -> list[float]:
    """Return the seconds of one call with all texts, or of one call for each text."""
    synchronize = synchronizer(plan.setup.device)
    if text_set.name != "one":
        return [stopwatch(partial(encoder, text_set.texts, setting), synchronize)]
    for text in text_set.texts[:WARM_UP_TEXTS]:
        encoder([text], setting)
    calls = [partial(encoder, [text], setting) for text in text_set.texts]
    return [stopwatch(call, synchronize) for call in calls]


def figures(
    text_set: TextSet, rounds: dict[str, list[list[float]]], arm: str, least_s: float
) -> dict[str, Any]:
    """Return what the rounds say of one arm.

    ``least_s`` is the time that the matrix products alone would take.
    """
    # One number per round; of single texts, their median.
    seconds = {
        name: [percentile(times, 50) for times in lists]
        for name, lists in rounds.items()
    }
    baseline = seconds.get(BASELINE)
    ratio = baseline and spread(paired_ratios(baseline, seconds[arm]))
    if text_set.name == "one":
        times = [time for times in rounds[arm] for time in times]
        own = {f"p{p}_ms": 1e3 * percentile(times, p) for p in (50, 90)}
    else:
        own = {
            "texts_per_s": spread([len(text_set.texts) / s for s in seconds[arm]]),
            "share_of_ceiling": median([least_s / s for s in seconds[arm]]),
        }
    return {**own, "speed_ratio": ratio}


def ceilings(plan: Plan) -> dict[str, float]:
    """Return the FLOP/s of the matrix products alone, by dtype."""
    n_products = 3 if plan.is_quick else 30
    return {
        str(dtype).removeprefix("torch."): gemm_ceiling(
            plan.reference.linear_shapes, dtype, plan.setup.device, n_products
        )
        for dtype in (torch.float32, torch.bfloat16)
    }


def search(
    plan: Plan, arm: EncodingArm, encoder: Encoder, text_set: TextSet
) -> Setting:
    """Return the arm's fastest setting for these texts."""
    synchronize = synchronizer(plan.setup.device)

    def seconds(setting: Setting) -> float:
        # The first of two calls pays for new shapes: compiled kernels, buffers.
        call = partial(encoder, text_set.texts, setting)
        return min(stopwatch(call, synchronize) for _ in range(2))

    if text_set.name == "one":
        return arm.settings(1, (1,))[0][0]
    sizes = (32,) if plan.is_quick else BATCH_SIZES
    modes = arm.settings(len(text_set.texts), sizes)
    if len(modes) == len(modes[0]) == 1:
        return modes[0][0]
    return min((fastest(mode, seconds) for mode in modes), key=lambda best: best[1])[0]


def reference_sample(plan: Plan, text_set: TextSet) -> np.ndarray:
    """Return the float64 vectors of the first texts: (n_sample, hidden_size)."""
    n_sample = np.searchsorted(np.cumsum(text_set.lengths), REFERENCE_TOKENS)
    texts = text_set.texts[: min(max(int(n_sample), 1), REFERENCE_TEXTS)]
    tokenizer = load_tokenizer(plan.setup.checkpoint)
    tokenizer.enable_truncation(plan.setup.max_length)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    return plan.reference.vectors(ids)
