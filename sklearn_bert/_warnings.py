"""Warnings that point at the user's line, however deep below it they arise."""

import os
import sys
import warnings
from pathlib import Path

import joblib
import sklearn
import torch

_OURS = tuple(
    f"{Path(package).parent}{os.sep}"
    for package in (__file__, sklearn.__file__, joblib.__file__, torch.__file__)
)


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn as from the first caller outside this package and those around it."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, category, stacklevel=depth)
