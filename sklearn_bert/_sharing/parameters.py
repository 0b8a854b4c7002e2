"""The parameters of an estimator as code, without what describes the machine."""

from collections.abc import Iterator, Mapping
from inspect import signature
from numbers import Number
from os import PathLike
from typing import Any

from sklearn.base import BaseEstimator

from sklearn_bert._engine.export.base_model import last_component

_PACKAGE = "sklearn_bert."
_MOST_ITEMS = 50
_NONE: Mapping[str, Any] = {}
# The parameters that are paths even as strings.
_FOLDERS = ("cache", "checkpoint_dir")
# The parameters that decide what is read of a text, and what becomes of it.
_READING = (
    "pooling",
    "layers",
    "normalize",
    "truncate_dim",
    "max_length",
    "long_text",
    "prompt",
    "output",
    "return_mask",
    "return_segments",
)


def name_of(estimator: Any) -> str:
    """Return the public name of an estimator, or of the one that it extends."""
    kinds = type(estimator).__mro__
    return next(
        (kind.__name__ for kind in kinds if f"{kind.__module__}.".startswith(_PACKAGE)),
        kinds[0].__name__,
    )


def show_call(
    estimator: Any, model: str, fixed: Mapping[str, Any] = _NONE
) -> list[str]:
    """Return the lines of a call that makes the estimator.

    Only parameters without their default are shown. Functions are shown by name, other
    estimators by class, and paths by their last component.

    Parameters
    ----------
    estimator : object
    model : str
        What is shown as the model, which may be a path or an estimator.
    fixed : mapping of str to object
        The values of the fit, which count for parameters that were set since.

    Returns
    -------
    list of str
    """
    name = name_of(estimator)
    changed = dict(_changed(estimator, fixed))
    if "model" in changed:
        changed["model"] = model
    lines = [f"    {parameter}={value}," for parameter, value in changed.items()]
    return [f"{name}(", *lines, ")"] if lines else [f"{name}()"]


def show_reading(estimator: Any, fixed: Mapping[str, Any] = _NONE) -> list[str]:
    """Return the keywords that make another estimator read texts as this one does.

    Parameters
    ----------
    estimator : object
    fixed : mapping of str to object
        The values of the fit, which count for parameters that were set since.

    Returns
    -------
    list of str
    """
    changed = _changed(estimator, fixed)
    return [f"{name}={value}" for name, value in changed if name in _READING]


def _changed(estimator: Any, fixed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names of parameters without their default, and the values as code."""
    values = {**estimator.get_params(deep=False), **fixed}
    for name, parameter in signature(type(estimator)).parameters.items():
        value = values[name]
        if repr(value) == repr(parameter.default):
            continue
        if isinstance(value, PathLike) or name in _FOLDERS:
            value = last_component(str(value))
        yield name, _show(value)


def _show(value: Any) -> str:
    """Return a value of builtin types as code, and the name of any other."""
    if value is None or isinstance(value, str | Number):
        # The repr of a scalar of NumPy names its type.
        return repr(getattr(value, "tolist", lambda: value)())
    if isinstance(value, list | tuple) and len(value) <= _MOST_ITEMS:
        inside = ", ".join(map(_show, value))
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, dict) and len(value) <= _MOST_ITEMS:
        pairs = (f"{_show(key)}: {_show(one)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    name = getattr(value, "__name__", type(value).__name__)
    return f"{name}(...)" if isinstance(value, BaseEstimator) else f"<{name}>"
