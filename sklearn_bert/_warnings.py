"""Warnings that point to the line of the user that caused them."""

import os
import sys
import warnings
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
