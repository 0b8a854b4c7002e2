"""Progress bars, labeled with the fit that they belong to."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from multiprocessing import current_process, parent_process
from typing import Any

from tqdm.auto import tqdm

_NUMBERS: dict[str, Iterator[int]] = defaultdict(lambda: count(1))


def name_fit(estimator: str) -> str:
    """Return a name that distinguishes a fit from the other fits of a search.

    Parameters
    ----------
    estimator : str
        The class name of the estimator.

    Returns
    -------
    str
        It contains the number of the fit in this process, and the name of the process
        if it is a worker.
    """
    worker = "" if parent_process() is None else f" ({current_process().name})"
    return f"{estimator} fit {next(_NUMBERS[estimator])}{worker}"


def progress_bar(label: str | None, **options: Any) -> tqdm:
    """Return a bar that starts with ``label``; None hides it.

    Inside a bar of the caller, such as one over the settings of a search, it is removed
    at its end, so that the bar of the caller stays in its line.

    Parameters
    ----------
    label : str or None
        The fit and its stage.
    **options
        Options of :class:`tqdm.tqdm`.
    """
    bar = tqdm(desc=label, disable=label is None, **options)
    bar.leave = bar.leave and bar.pos == 0
    return bar
