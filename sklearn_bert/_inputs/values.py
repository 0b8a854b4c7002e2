"""Validation of single texts and words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np

from sklearn_bert._config import quote, shows_values
from sklearn_bert._engine.runtime.rows import name_whole, number_row
from sklearn_bert._warnings import warn_of_some
from sklearn_bert.exceptions import InputError, SklearnBertError, TextRepairWarning

_N_SHOWN = 3
_N_CHARACTERS_SHOWN = 40
_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True)
class Kind:
    """The terms for texts, words or sentences in error messages.

    Attributes
    ----------
    name : str
    place : str
        Position of a value, a format string with ``row`` and ``place``.
    if_missing, if_numbers, if_nested, otherwise : str
        Remedies for missing values, numbers, collections, and other values.
    """

    name: str
    place: str
    if_missing: str
    if_numbers: str
    if_nested: str
    otherwise: str

    def remedy(self, values: Sequence[Any], *, has_missing: bool = False) -> str:
        """Return the remedy for values that are not str.

        Parameters
        ----------
        values : sequence
        has_missing : bool
            Whether X also contains missing values that are not in ``values``.
        """
        others = [value for value in values if not is_missing(value)]
        if not others:
            return self.if_missing
        # The first value decides, which is the one that the message shows.
        value = others[0]
        if isinstance(value, complex):
            return f"Complex data not supported. Convert the values to {self.name}."
        if isinstance(value, bytes | bytearray):
            return "Decode bytes first: value.decode('utf-8')."
        if isinstance(value, Number) or getattr(value, "ndim", None) == 0:
            # str() would return the text 'nan' or 'None' for them.
            if has_missing or len(others) < len(values):
                return f"{self.if_numbers} Replace missing values by '' before that."
            return self.if_numbers
        if hasattr(value, "as_py"):
            return "Convert pyarrow scalars first: value.as_py()."
        if isinstance(value, Mapping) and value:
            key = quote(next(iter(value)))
            return f"Select the field of the {self.name}: value[{key}]."
        if isinstance(value, Iterable) and not isinstance(value, Mapping):
            return self.if_nested
        return self.otherwise


TEXTS = Kind(
    "texts",
    "row {row}",
    "Drop these rows, or set missing='empty' to read missing values as empty texts.",
    "Select the text column, or convert numbers to texts if that is intended: "
    "X.astype(str), or [str(x) for x in X].",
    "Remove a level of lists if there is one too many, or join the parts of each text: "
    "' '.join(parts).",
    "Convert these values to texts, or drop them.",
)
WORDS = Kind(
    "words",
    "sentence {row}, word {place}",
    "Drop the missing words and their tags, or set missing='empty' to read them as "
    "empty words.",
    "Drop numbers and their tags, or convert them to texts if that is intended: "
    "[[str(word) for word in words] for words in X].",
    "Pass a list of sentences, each a list of words, without another level of lists.",
    "Convert these values to words, or drop them and their tags.",
)
SENTENCES = Kind(
    "sentences",
    "row {row}",
    "Drop these rows and their tags, or set missing='empty' to read missing sentences "
    "as sentences without words.",
    "Select the column of the sentences, or pass lists of words: [['a', 'word'], ...].",
    "Pass lists of words: [['a', 'word'], ...].",
    "Pass lists of words: [['a', 'word'], ...].",
)


def check_all_str(
    rows: Iterable[Iterable[Any]], n_rows: int, kind: Kind, *, missing: str = "error"
) -> None:
    """Raise an error if rows, or sentences, contain values that are not str.

    With ``missing="empty"`` missing values are allowed.
    """
    bad = [
        (row, place, value)
        for row, values in enumerate(rows)
        for place, value in enumerate(values)
        if not isinstance(value, str)
    ]
    refused = bad
    if missing == "empty":
        refused = [one for one in bad if not is_missing(one[2])]
    if not refused:
        return
    # A pair without both texts is shown once.
    shown = show_some(
        dict.fromkeys(
            f"{show(value)} in "
            f"{kind.place.format(row=number_row(row), place=place)}{name_whole()}"
            for row, place, value in refused
        )
    )
    n_bad = len({row for row, _, _ in refused})
    remedy = kind.remedy(
        [value for _, _, value in refused], has_missing=len(refused) < len(bad)
    )
    raise InputError(
        f"X must contain only {kind.name} (str). Got {shown}: {n_bad} of {n_rows} rows "
        f"contain other values. {remedy}"
    )


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN or the like."""
    # NaN and NaT differ from themselves; pandas' NA is known by its name alone, so
    # that pandas stays optional.
    if value is None or value is np.ma.masked:
        return True
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    if hasattr(value, "as_py"):
        return getattr(value, "is_valid", True) is False
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, float | np.floating | np.datetime64 | np.timedelta64):
        return bool(value != value)
    return False


def fill_missing(values: Iterable[Any]) -> list[str]:
    """Replace missing values by empty texts; :func:`check_all_str` allows no others."""
    return [value if isinstance(value, str) else "" for value in values]


def show(value: Any) -> str:
    """Format a value and its type for an error message."""
    text = " ".join(line.strip() for line in quote(value).splitlines())
    if len(text) > _N_CHARACTERS_SHOWN:
        text = text[:_N_CHARACTERS_SHOWN] + "..."
    return f"{text} ({type(value).__name__})"


def show_some(values: Iterable[Any]) -> str:
    """Format the first values for an error message, and the number of others."""
    shown = [str(value) for value in values]
    more = len(shown) - _N_SHOWN
    return ", ".join(shown[:_N_SHOWN]) + (f" and {more} more" if more > 0 else "")


def show_each(values: Iterable[Any]) -> str:
    """Format the first of several values, or only their number."""
    values = list(values)
    if shows_values():
        return show_some(map(quote, values))
    return f"<{len(values)} hidden values>"


def call_hiding_values(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call a function of another library, whose errors may quote values.

    Raises
    ------
    ValueError, TypeError
        If the function does. Without the message if values are not shown.
    """
    try:
        return function(*args, **options)
    # These hide values themselves.
    except SklearnBertError:
        raise
    except (ValueError, TypeError, LookupError) as error:
        if shows_values():
            raise
        kind = type(error)
    # Raised here, where it has no context with the message.
    raise (TypeError if issubclass(kind, TypeError) else ValueError)(
        f"A value was refused ({kind.__name__}). The message is hidden, since it may "
        "quote values. Call sklearn_bert.set_config(show_values=True) to see it."
    )


def repair(values: Sequence[str], kind: Kind) -> list[str]:
    """Return plain str without lone surrogates, which are not valid characters."""
    repaired = [without_surrogates(value) for value in values]
    n_repaired = sum(old != new for old, new in zip(values, repaired, strict=True))
    warn_if_repaired(n_repaired, len(values), kind)
    return repaired


def warn_if_repaired(n_repaired: int, n_all: int, kind: Kind) -> None:
    """Warn about replaced characters, if there are any."""
    warn_of_some(
        n_repaired,
        n_all,
        "{n} of {n_all} " + kind.name + " contained lone surrogates, which are not "
        "valid characters and were replaced by U+FFFD. They occur in files read with "
        "errors='surrogateescape'; use the encoding of the file instead.",
        TextRepairWarning,
    )


def without_surrogates(text: str) -> str:
    """Return a plain str in which U+FFFD replaces lone surrogates."""
    # Tokenizers do not accept subclasses such as numpy's str_, and str() would return
    # the name of an Enum member.
    text = str.__str__(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if ord(c) in _SURROGATES else c for c in text)
    return text
