"""Warnings that point at the user's line, however deep below it they arise."""

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
# What was shown under which filters. Python's own memory is lost whenever anyone enters
# warnings.catch_warnings, which scikit-learn does for each fit of a cross-validation.
_SHOWN: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn as from the first caller outside this package and those around it.

    By default once per line and message; filters such as "error" and "always" work as
    ever.
    """
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame, depth = frame.f_back, depth + 1
    # Python 3.14 keeps the filters of a context apart.
    filters = getattr(warnings, "_get_filters", lambda: warnings.filters)()
    shown = _SHOWN.setdefault((frame.f_code.co_filename, *filters), set())
    key = message, category, frame.f_lineno
    if key not in shown:
        warnings.warn(message, category, stacklevel=depth)
        # Python notes there what it is not to show again.
        if key in frame.f_globals.get("__warningregistry__", ()):
            shown.add(key)
