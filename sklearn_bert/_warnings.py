"""Warnings that point to the line of the user that caused them."""

import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import joblib
import sklearn
import torch

_OURS = tuple(
    f"{Path(package).parent}{os.sep}"
    for package in (__file__, sklearn.__file__, joblib.__file__, torch.__file__)
)
# The warnings shown under each set of filters. The registry of Python is reset by
# warnings.catch_warnings, which scikit-learn uses for each fit of a cross-validation.
_SHOWN: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
# Where calls for parts of X count together, and None outside of such calls.
_TALLY: ContextVar["Tally | None"] = ContextVar("tally", default=None)


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the first caller outside of this package and the packages that call it.

    By default once per line and message; filters such as "error" and "always" work as
    usual.
    """
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame, depth = frame.f_back, depth + 1
    # Python 3.14 has separate filters for each context.
    filters = getattr(warnings, "_get_filters", lambda: warnings.filters)()
    shown = _SHOWN.setdefault((frame.f_code.co_filename, *filters), set())
    key = message, category, frame.f_lineno
    if key not in shown:
        warnings.warn(message, category, stacklevel=depth)
        # Python records here what it will not show again.
        if key in frame.f_globals.get("__warningregistry__", ()):
            shown.add(key)


def warn_of_some(n: int, n_all: int, template: str, category: type[Warning]) -> None:
    """Warn about some of the texts, if there are any, or count them in the tally.

    Parameters
    ----------
    n, n_all : int
        How many texts the warning is about, and of how many.
    template : str
        The message, a format string with ``n``, ``n_all`` and ``share``.
    category : type
    """
    tally = _TALLY.get()
    if tally is not None:
        tally.add(n, n_all, template, category)
    elif n:
        warn_user(template.format(n=n, n_all=n_all, share=n / n_all), category)


class Tally:
    """Counts for one warning about all parts of X, in place of one about each part."""

    def __init__(self) -> None:
        self._some: Counter[tuple[str, type[Warning]]] = Counter()
        self._all: Counter[tuple[str, type[Warning]]] = Counter()

    def add(self, n: int, n_all: int, template: str, category: type[Warning]) -> None:
        """Count the texts of a part; parameters as in :func:`warn_of_some`."""
        self._some[template, category] += n
        self._all[template, category] += n_all

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count what calls in a block would warn about."""
        token = _TALLY.set(self)
        try:
            yield
        finally:
            _TALLY.reset(token)

    def warn(self) -> None:
        """Warn about all that was counted."""
        for (template, category), n in self._some.items():
            warn_of_some(n, self._all[template, category], template, category)
