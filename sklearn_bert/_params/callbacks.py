"""The constraint of callbacks."""

from collections.abc import Collection, Mapping
from typing import Any

from sklearn_bert._sklearn_compat import HasMethods


class _Functions(HasMethods):
    """A list, or another collection that is not a mapping, of functions."""

    def is_satisfied_by(self, val: Any) -> bool:
        return (
            isinstance(val, Collection)
            and not isinstance(val, str | bytes | Mapping)
            and getattr(val, "ndim", 1) == 1
            and all(map(callable, val))
        )

    def __str__(self) -> str:
        return "a list of functions, such as [print],"


FUNCTIONS = _Functions("__iter__")
