"""Loading the arms and measuring them on one set of texts."""

import importlib.util
import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from _arms import Arm
from _ceiling import PositionCounter, gemm_ceiling, synchronizer
from _checkpoint import Reference, cosine_distances, export_onnx
from _data import TextSet
from _encoders import Encoder, Setting, Setup
from _measure import fastest, interleave, stopwatch
from _report import Noise, first_line, load_average

log = logging.getLogger("benchmark")

# float64 is slow: the reference reads no more than this of a set.
REFERENCE_TEXTS = 256
REFERENCE_TOKENS = 16384
# Single texts encoded before the first one that counts.
WARM_UP_TEXTS = 3


@dataclass(frozen=True)
class Plan:
    """What measuring any set needs.

    Attributes
    ----------
    encoders : dict of Arm to Encoder
        The arms that run here.
    reference : Reference
    device : str
    tokenizer : tokenizers.Tokenizer
    max_length : int
    repeats : int
    seed : int
    batch_sizes : tuple of int
    n_products : int
        How often the ceiling's products run.
    settle_s : float
    """

    encoders: dict[Arm, Encoder]
    reference: Reference
    device: str
    tokenizer: Any
    max_length: int
    repeats: int
    seed: int
    batch_sizes: tuple[int, ...]
    n_products: int
    settle_s: float


def export_error(arms: list[Arm], setup: Setup) -> str | None:
    """Export the checkpoint if an arm needs it; return why that failed."""
    if not any(arm.needs_onnx for arm in arms):
        return None
    if importlib.util.find_spec("onnx") is None:
        return "missing: pip install onnx"
    try:
        with warnings.catch_warnings():
            # The tracer and the older exporter speak of what they might get wrong;
            # the comparison with the reference shows whether they did.
            warnings.simplefilter("ignore")
            export_onnx(setup.checkpoint, setup.onnx)
    except Exception as error:
        return f"not run: ONNX export failed: {first_line(error)}"
    return None


def load_arm(
    arm: Arm, setup: Setup, texts: list[str], no_onnx: str | None
) -> tuple[Encoder | None, dict[str, Any]]:
    """Load one arm and call it once.

    Returns
    -------
    encoder : Encoder or None
        None where the arm cannot run.
    record : dict
        Seconds of the loading, of the first call and of a second one with the same
        texts; or why the arm does not run.
    """
    reason = arm.reason_not_to_run(setup.device)
    if reason is None and arm.needs_onnx:
        reason = no_onnx
    if reason is not None:
        return None, {"not_run": reason}
    log.info("loading %s", arm.name)
    synchronize = synchronizer(setup.device)
    try:
        start = time.perf_counter()
        encoder = arm.build(setup)
        load_s = time.perf_counter() - start
        call = partial(encoder, texts, arm.fixed_setting(len(texts)))
        first_s, second_s = (stopwatch(call, synchronize) for _ in range(2))
    # One arm that cannot run must not end the others: it is named in the tables.
    except Exception as error:
        return None, {"not_run": f"not run: {first_line(error)}"}
    return encoder, {
        "load_s": load_s,
        "first_call_s": first_s,
        "second_call_s": second_s,
    }


def measure(plan: Plan, text_set: TextSet) -> dict[str, Any]:
    """Return all that is known of one set: its texts, the noise, and every arm."""
    # From here: a busy machine makes the search of settings wrong, too.
    noise = Noise()
    prepare = prepare_single if text_set.name == "one" else prepare_batches
    sample = reference_sample(plan, text_set)
    records: dict[str, dict[str, Any]] = {}
    calls: dict[str, Callable[[], Any]] = {}
    for arm, encoder in plan.encoders.items():
        if arm.is_for_one_text and text_set.name != "one":
            continue
        log.info("%s: preparing %s", text_set.name, arm.name)
        records[arm.name], calls[arm.name] = prepare(
            plan, arm, encoder, text_set, sample
        )
    log.info("%s: %d rounds", text_set.name, plan.repeats)
    before = ceilings(plan)
    seconds = interleave(
        calls, repeats=plan.repeats, seed=plan.seed, settle_s=plan.settle_s
    )
    others = noise.cpus_of_others()
    after = ceilings(plan)
    return {
        **text_set.describe(),
        "flops": plan.reference.flops(text_set.lengths),
        "ceiling_flops": {dtype: max(before[dtype], after[dtype]) for dtype in after},
        "load_average": load_average(),
        "cpus_of_others": others,
        "arms": {
            name: {**record, "seconds": seconds[name]}
            for name, record in records.items()
        },
    }


def ceilings(plan: Plan) -> dict[str, float]:
    """Return the FLOP/s of the matrix products alone, by number format."""
    return {
        str(dtype).removeprefix("torch."): gemm_ceiling(
            plan.reference.linear_shapes, dtype, plan.device, plan.n_products
        )
        for dtype in (torch.float32, torch.bfloat16)
    }


def prepare_batches(
    plan: Plan, arm: Arm, encoder: Encoder, text_set: TextSet, sample: np.ndarray
) -> tuple[dict[str, Any], Callable[[], float]]:
    """Find the arm's best setting and check its vectors; return what to time."""
    setting = search(plan, arm, encoder, text_set.texts)
    vectors, n_positions = count_positions(plan, encoder, setting, text_set.texts)
    distances = cosine_distances(vectors[: len(sample)], sample)
    call = partial(encoder, text_set.texts, setting)
    return {
        "setting": str(setting),
        "positions": n_positions,
        "max_cosine_distance": float(distances.max()),
    }, partial(stopwatch, call, synchronizer(plan.device))


def prepare_single(
    plan: Plan, arm: Arm, encoder: Encoder, text_set: TextSet, sample: np.ndarray
) -> tuple[dict[str, Any], Callable[[], list[float]]]:
    """Check the arm's vectors text by text; return what to time."""
    setting = arm.fixed_setting(1)
    vectors = [encoder([text], setting) for text in text_set.texts[: len(sample)]]
    distances = cosine_distances(np.concatenate(vectors), sample)
    return {
        "max_cosine_distance": float(distances.max()),
    }, partial(latencies, encoder, setting, plan, text_set.texts)


def latencies(
    encoder: Encoder, setting: Setting, plan: Plan, texts: list[str]
) -> list[float]:
    """Return the seconds of each text, encoded alone."""
    synchronize = synchronizer(plan.device)
    for text in texts[:WARM_UP_TEXTS]:
        encoder([text], setting)
    return [stopwatch(partial(encoder, [text], setting), synchronize) for text in texts]


def search(plan: Plan, arm: Arm, encoder: Encoder, texts: list[str]) -> Setting:
    """Return the arm's fastest setting for these texts."""
    synchronize = synchronizer(plan.device)

    def seconds(setting: Setting) -> float:
        # The first of two calls pays for new shapes: compiled kernels, buffers.
        call = partial(encoder, texts, setting)
        return min(stopwatch(call, synchronize) for _ in range(2))

    modes = arm.settings(len(texts), plan.batch_sizes)
    if len(modes) == len(modes[0]) == 1:
        encoder(texts, modes[0][0])
        return modes[0][0]
    return min((fastest(mode, seconds) for mode in modes), key=lambda best: best[1])[0]


def reference_sample(plan: Plan, text_set: TextSet) -> np.ndarray:
    """Return the float64 vectors of the first texts: (n_sample, hidden_size)."""
    n_sample = np.searchsorted(np.cumsum(text_set.lengths), REFERENCE_TOKENS)
    texts = text_set.texts[: min(max(int(n_sample), 1), REFERENCE_TEXTS)]
    plan.tokenizer.enable_truncation(plan.max_length)
    ids = [encoding.ids for encoding in plan.tokenizer.encode_batch(texts)]
    return plan.reference.vectors(ids)


def count_positions(
    plan: Plan, encoder: Encoder, setting: Setting, texts: list[str]
) -> tuple[np.ndarray, int | None]:
    """Encode once, untimed; return the vectors and how many positions they took."""
    # Runtimes of their own count for themselves; torch is watched.
    before = getattr(encoder, "n_positions", None)
    with PositionCounter(plan.reference.vocabulary_size) as counter:
        vectors = encoder(texts, setting)
    if before is not None:
        return vectors, encoder.n_positions - before
    return vectors, counter.n_positions or None
