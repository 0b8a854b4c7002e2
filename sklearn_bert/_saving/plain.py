"""Fitted attributes as builtins and arrays, for pickles and what is made like them.

A pickle names the class of every object in it, which must therefore exist in every
later version, and formats that check these classes, such as skops, ask the user whether
they are safe. Records become dicts, so that only the estimators are named. Nothing is
copied: the arrays in the dicts are those of the records.
"""

from dataclasses import fields
from pathlib import PurePath
from typing import Any

from sklearn.utils.metadata_routing import MetadataRequest
from tokenizers import Tokenizer

from sklearn_bert._engine.text.tokenizer import TextTokenizer
from sklearn_bert._saving.hints import make_record
from sklearn_bert._saving.requests import plain_requests
from sklearn_bert._saving.schema import RECORDS
from sklearn_bert.exceptions import SavedFileError

# The keys of the dict of a record: the name of its class, and its fields.
_CLASS = "sklearn_bert record"
_FIELDS = "fields"


def to_plain(value: Any) -> Any:
    """Return a value with dicts in place of records.

    Parameters
    ----------
    value : object
        A record, a tuple that may contain some, or anything else, which is returned as
        it is.
    """
    kind = type(value)
    if kind is tuple:
        return tuple(map(to_plain, value))
    if RECORDS.get(kind.__name__) is kind:
        names = [field.name for field in fields(kind)]
        return _node(kind, {name: to_plain(getattr(value, name)) for name in names})
    if kind is TextTokenizer:
        return _node(kind, {"json": value.to_str(), "has_segments": value.has_segments})
    if isinstance(value, MetadataRequest):
        return plain_requests(value)
    # The pickle of a path can only be loaded on the same kind of system.
    return str(value) if isinstance(value, PurePath) else value


def _node(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    return {_CLASS: kind.__name__, _FIELDS: values}


def from_plain(value: Any) -> Any:
    """Return a value with records in place of the dicts of :func:`to_plain`.

    Parameters
    ----------
    value : object
        The pickles of earlier versions contain the records themselves.

    Raises
    ------
    SavedFileError
        If a record is unknown, or has other fields.
    """
    kind = type(value)
    if kind is tuple:
        return tuple(map(from_plain, value))
    if kind is not dict or value.keys() != {_CLASS, _FIELDS}:
        return value
    name = value[_CLASS]
    values = {key: from_plain(x) for key, x in value[_FIELDS].items()}
    try:
        if name == TextTokenizer.__name__:
            tokenizer = Tokenizer.from_str(values.pop("json"))
            return TextTokenizer(tokenizer, **values)
        return make_record(RECORDS[name], values)
    except (LookupError, TypeError) as error:
        raise SavedFileError(
            "A pickled estimator must be of this version of sklearn_bert or of an "
            f"earlier one. Got one with {name!r:.80}, which this version cannot read "
            f"({error}). Upgrade sklearn_bert."
        ) from error
