"""Scores that a user gives to a model card."""

from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import Any

from sklearn_bert._inputs.values import show

_LONGEST = 100


def check_scores(scores: Any) -> dict[str, float]:
    """Validate scores by metric, and return them as floats.

    Raises
    ------
    ValueError
        If they are not finite numbers by name.
    """
    if scores is None:
        return {}
    if not isinstance(scores, Mapping):
        raise _invalid(show(scores))
    for name, score in scores.items():
        is_name = isinstance(name, str) and name.strip() and name.isprintable()
        if not is_name or len(name) > _LONGEST:
            raise _invalid(f"the name {show(name)}")
        if not _is_finite(score):
            raise _invalid(f"{show(score)} for {name!r}")
    return {str(name): float(score) for name, score in scores.items()}


def _is_finite(score: Any) -> bool:
    if not isinstance(score, Real) or isinstance(score, bool):
        return False
    try:
        return isfinite(score)
    # An integer beyond the floats.
    except OverflowError:
        return False


def _invalid(got: str) -> ValueError:
    return ValueError(
        "scores must be a dict of finite numbers by the name of the metric, on one "
        f"line. Got {got}. Pass scores such as {{'accuracy': 0.9}}."
    )
