"""Saving of estimators."""

import os
from pathlib import Path
from typing import Any

from sklearn_bert._saving.file import write_file
from sklearn_bert._saving.state import write_state
from sklearn_bert._sklearn_compat import StrOptions, validate_parameter_constraints
from sklearn_bert.exceptions import SavedFileError

_CONSTRAINTS = {"path": [str, os.PathLike], "dtype": [StrOptions({"bfloat16"}), None]}


def save_estimator(estimator: Any, path: Any, dtype: str | None) -> str:
    """Write an estimator to a file, and return the SHA-256 of the file.

    Parameters
    ----------
    estimator : BaseBert
        With validated parameters.
    path : str or path
    dtype : {"bfloat16"} or None

    Returns
    -------
    str

    Raises
    ------
    SavedFileError
        If the estimator cannot be saved, or the file cannot be written.
    """
    validate_parameter_constraints(
        _CONSTRAINTS,
        {"path": path, "dtype": dtype},
        caller_name=f"{type(estimator).__name__}.save",
    )
    # A link remains, and the file that it names is replaced.
    file = Path(os.path.realpath(Path(path).expanduser()))
    if file.exists() and not file.is_file():
        raise SavedFileError(
            f"path must be a file. Got {os.fspath(path)!r}, which is a folder or a "
            "device. Add a file name, such as 'model.safetensors'."
        )
    if not file.parent.is_dir():
        raise SavedFileError(
            f"path must be in a folder that exists. Got {os.fspath(path)!r}, whose "
            f"folder {str(file.parent)!r} is missing. Create it."
        )
    content, tensors = write_state(estimator, in_bfloat16=dtype is not None)
    if dtype is not None and not any(x.dtype == "BF16" for x in tensors.values()):
        raise SavedFileError(
            "dtype must be None for an estimator whose file contains no weights of an "
            f"encoder. Got dtype={dtype!r} for a {type(estimator).__name__}. Leave it "
            "out."
        )
    try:
        return write_file(file, content, tensors)
    except OSError as error:
        raise SavedFileError(
            "path must be a file that can be written. Got "
            f"{os.fspath(path)!r} ({error.strerror or error}). Check "
            "its permissions and the free space."
        ) from error
