"""Folders that a method may write or replace."""

import os
from pathlib import Path
from typing import Any

from sklearn_bert._engine.export.folder import find_foreign
from sklearn_bert._sklearn_compat import validate_parameter_constraints


def check_free_folder(folder: Any, method: str, caller: str, marker: str) -> Path:
    """Return the path of a folder, and refuse one with files that are not ours.

    Parameters
    ----------
    folder : str or path
        As given by the user.
    method : str
        The method that writes it.
    caller : str
        The class that has the method.
    marker : str
        A file of every folder that the method writes.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If the folder is a file, or contains files of others.
    """
    validate_parameter_constraints(
        {"folder": [str, os.PathLike]},
        {"folder": folder},
        caller_name=f"{caller}.{method}",
    )
    path = Path(folder).expanduser().absolute()
    if not path.exists():
        return path
    if not path.is_dir():
        raise ValueError(
            f"folder must be a folder. Got {str(path)!r}, which is a file. Choose "
            "another name."
        )
    if foreign := find_foreign(path, marker):
        raise ValueError(
            f"folder must not exist, be empty, or contain only what {method} has "
            f"written. Got {str(path)!r}, which contains {foreign[0]!r}. Move it to "
            "another place, or choose another folder."
        )
    return path
