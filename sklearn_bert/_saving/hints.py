"""Whether a value has the type of an annotation."""

from dataclasses import MISSING, fields
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np


def has_type(value: Any, hint: Any) -> bool:
    """Return whether a value has a type, as far as it can be told from the value.

    Parameters
    ----------
    value : object
    hint : type, None, or list, tuple or dict with parameters, or a union
        The numbers of NumPy are numbers of Python.
    """
    parts = get_args(hint)
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(has_type(value, part) for part in parts)
    if origin is list:
        return type(value) is list and all(has_type(x, *parts) for x in value)
    if origin is dict:
        return type(value) is dict and all(
            has_type(key, parts[0]) and has_type(x, parts[1])
            for key, x in value.items()
        )
    if origin is tuple:
        if type(value) is not tuple:
            return False
        wanted = parts[:1] * len(value) if parts[-1] is ... else parts
        return len(value) == len(wanted) and all(map(has_type, value, wanted))
    if hint in (bool, None, NoneType):
        return isinstance(value, bool | np.bool_ if hint is bool else NoneType)
    if hint in (int, float):
        is_number = isinstance(value, Integral if hint is int else Real)
        return is_number and not isinstance(value, bool)
    return isinstance(value, hint)


def make_record(kind: type[Any], values: dict[str, Any]) -> Any:
    """Return a dataclass with the given values.

    Raises
    ------
    TypeError
        If a field is missing, unknown or not of its type. Fields with defaults, which
        files of earlier versions may not have, may be missing.
    """
    hints = get_type_hints(kind)
    required = {
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    }
    if not required <= {*values} <= {*hints}:
        raise TypeError(f"other fields of {kind.__name__} than it has")
    for name, value in values.items():
        if not has_type(value, hints[name]):
            raise TypeError(f"a {kind.__name__} whose {name} has the wrong type")
    return kind(**values)
