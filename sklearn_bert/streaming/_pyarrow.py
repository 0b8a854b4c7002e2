"""The optional library of tables and Parquet files."""

from importlib import import_module
from typing import Any


def import_pyarrow(module: str = "pyarrow") -> Any:
    """Return pyarrow, or a module of it.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            "Tables and Parquet files need the package pyarrow, which cannot be "
            f"imported: {error}. Install it with: pip install pyarrow"
        ) from error
