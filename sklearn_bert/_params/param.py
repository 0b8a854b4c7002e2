"""Shared parameters, each defined once with its constraint and its documentation.

A class lists the groups that it uses::

    @document(ENCODER)
    class BertVectorizer(...):
        '''Turn texts into features.

        Parameters
        ----------
        %(model)s
        '''

        _parameter_constraints = {**constraints(ENCODER), "pooling": [...]}
"""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import indent
from typing import Any, TypeVar

from sklearn_bert._params.attributes import FITTED


@dataclass(frozen=True)
class Param:
    """The constraint and the numpydoc documentation of a parameter."""

    constraint: list[Any]
    doc: str


Group = dict[str, Param]
_Class = TypeVar("_Class", bound=type)


def constraints(*groups: Group) -> dict[str, list[Any]]:
    """Return the constraints of the groups as scikit-learn expects them."""
    return {name: param.constraint for group in groups for name, param in group.items()}


def document(*groups: Group) -> Callable[[_Class], _Class]:
    """Replace each line ``%(name)s`` in the docstring of a class.

    The replacement documents a parameter of the groups, or a fitted attribute.
    """
    docs = {name: param.doc for group in groups for name, param in group.items()}
    paragraphs = {f"%({name})s": doc for name, doc in {**FITTED, **docs}.items()}

    def write(cls: _Class) -> _Class:
        lines = []
        for line in (cls.__doc__ or "").splitlines():
            text = line.lstrip()
            margin = line[: len(line) - len(text)]
            lines.append(
                indent(paragraphs[text], margin) if text in paragraphs else line
            )
        cls.__doc__ = "\n".join(lines)
        return cls

    return write
