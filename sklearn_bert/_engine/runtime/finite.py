"""A check that what a model computes is finite."""

from collections.abc import Callable

import numpy as np
import torch

from sklearn_bert._engine.runtime.device import name_of
from sklearn_bert._engine.runtime.rows import name_whole, number_row
from sklearn_bert.exceptions import NonFiniteError

_N_SHOWN = 3


def check_finite(
    values: np.ndarray,
    what: str,
    *,
    dtype: torch.dtype,
    owners: Callable[[], np.ndarray] | None = None,
) -> None:
    """Raise an error if values are NaN or infinite.

    Parameters
    ----------
    values : ndarray of shape (n, width)
    what : str
        Name of the values, as a capitalized plural.
    dtype : torch.dtype
        Dtype of the encoder, which the remedy depends on.
    owners : callable or None
        Returns the row of X of each row of the values: (n,), int64. None if they are
        the same. Only called for the message.

    Raises
    ------
    NonFiniteError
        If a value is NaN or infinite. The message names the first rows.
    """
    is_finite = np.isfinite(values)
    if is_finite.all():
        return
    rows = np.arange(len(values)) if owners is None else owners()
    bad = np.unique(rows[~is_finite.all(axis=1)]).tolist()
    raise NonFiniteError(
        f"{what} must be finite numbers. Got NaN or infinity for {len(bad)} of "
        f"{len(np.unique(rows))} rows of X, {_list(bad)}. {_remedy(dtype)}"
    )


def _list(rows: list[int]) -> str:
    first = ", ".join(str(number_row(row)) for row in rows[:_N_SHOWN])
    first += name_whole()
    if len(rows) > _N_SHOWN:
        return f"rows {first} first"
    return f"row{'s' if len(rows) > 1 else ''} {first}"


def _remedy(dtype: torch.dtype) -> str:
    wider = {torch.float16: "float32", torch.float64: None}.get(dtype, "float64")
    name = name_of(dtype)
    why = f"products of the weights are too large for {name}"
    if wider is None:
        return f"Choose another model, or fit this one again, since {why}."
    return (
        f"Set dtype={wider!r}, since {why}, or choose another model, or fit this one "
        "again."
    )
