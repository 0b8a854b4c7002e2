"""Shared parameters, each defined once with its constraint and its documentation.

A class lists the groups that it uses::

    @document(ENCODER)
    class BertVectorizer(...):
        '''Turn texts into features.

        Parameters
        ----------
        %(parameters)s

        Attributes
        ----------
        %(n_features_in_, feature_names_in_)s
        '''

        _parameter_constraints = constraints(ENCODER)
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from textwrap import indent
from typing import Any, TypeVar

from sklearn_bert._params.attributes import FITTED


@dataclass(frozen=True)
class Param:
    """The constraint and the numpydoc documentation of a parameter."""

    constraint: list[Any]
    doc: str


Group = dict[str, Param]
_LINE = re.compile(r"^( *)%\((\w+(?:, \w+)*)\)s$", re.MULTILINE)
_Class = TypeVar("_Class", bound=type)


def constraints(*groups: Group) -> dict[str, list[Any]]:
    """Return the constraints of the groups as scikit-learn expects them."""
    return {name: param.constraint for group in groups for name, param in group.items()}


def document(*groups: Group) -> Callable[[_Class], _Class]:
    """Replace each line ``%(name, ...)s`` in the docstring of a class.

    The names are those of parameters of the groups, or of fitted attributes;
    ``%(parameters)s`` documents all parameters in the order of the signature.
    """
    docs = {name: param.doc for group in groups for name, param in group.items()}

    def write(cls: _Class) -> _Class:
        def expand(line: re.Match[str]) -> str:
            margin, listed = line.groups()
            every = listed == "parameters"
            names = signature(cls).parameters if every else listed.split(", ")
            paragraphs = ({**FITTED, **docs}[name] for name in names)
            return indent("\n\n".join(paragraphs), margin)

        cls.__doc__ = _LINE.sub(expand, cls.__doc__ or "")
        return cls

    return write
