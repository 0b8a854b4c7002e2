"""Progress bars, and how they name the fit that they belong to."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from multiprocessing import current_process, parent_process
from typing import Any

from tqdm.auto import tqdm

_NUMBERS: dict[str, Iterator[int]] = defaultdict(lambda: count(1))


def name_fit(estimator: str) -> str:
    """Return a name for one fit, which tells it from the others of a search.

    Parameters
    ----------
    estimator : str
        The name of the estimator's class.

    Returns
    -------
    str
        With the number of the fit in this process, and the process if it is a worker.
    """
    worker = "" if parent_process() is None else f" ({current_process().name})"
    return f"{estimator} fit {next(_NUMBERS[estimator])}{worker}"


def progress_bar(label: str | None, **options: Any) -> tqdm:
    """Return a bar that starts with ``label``; None hides it.

    Parameters
    ----------
    label : str or None
        Whose work it is, and which stage of it.
    **options
        Those of :class:`tqdm.tqdm`.
    """
    return tqdm(desc=label, disable=label is None, **options)
