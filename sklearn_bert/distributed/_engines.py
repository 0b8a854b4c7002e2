"""The optional packages that run on several machines."""

from importlib import import_module
from typing import Any

# What to install, by the package that is imported.
_REQUIREMENTS = {
    "dask": "'dask[dataframe,distributed]'",
    "ray": "'ray[data]'",
    "pyspark": "pyspark pandas pyarrow",
}


def name_type(value: Any) -> str:
    """Return what messages call a value, such as "a pandas Series" or "a list"."""
    kind = type(value)
    package = kind.__module__.split(".")[0]
    article = "an" if kind.__name__[0] in "aeiou" and package == "builtins" else "a"
    names = (article, "" if package == "builtins" else package, kind.__name__)
    return " ".join(filter(None, names))


def import_engine(module: str, user: str) -> Any:
    """Return a module of Dask, Ray or Spark.

    Parameters
    ----------
    module : str
        Such as "dask.dataframe".
    user : str
        The function that needs it.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    package = module.split(".")[0]
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{user} needs the package {package}, which cannot be imported: {error}. "
            f"Install it with: pip install {_REQUIREMENTS[package]}"
        ) from error
