"""The optional library of adapters."""

from importlib import import_module
from typing import Any


def import_peft() -> Any:
    """Return the module peft.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return import_module("peft")
    except ImportError as error:
        raise ImportError(
            "adapter='lora' needs the package peft, which cannot be imported: "
            f"{error}. Install it with: pip install peft"
        ) from error
